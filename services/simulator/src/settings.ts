import { z } from 'zod'
import * as vendor from '@relay/shared/vendor/limits.js'
import type { OwnNames } from './vendor/elements.js'
import { HEADER_FORMS } from './vendor/answers.js'

const wholeMs = z.number().int().min(0).max(3_600_000)
const budget = z.number().int().min(1).max(1e9)
const bodyBytes = z.number().int().min(1).max(vendor.MAX_BODY_BYTES)

const workspace = z.strictObject({
  /** Data API key. Empty: "App Secret not set", every request is answered 409. */
  key: z.string(),
  usersPerWindow: budget.optional(),
  eventsPerWindow: budget.optional(),
  devicesPerWindow: budget.nullable().optional(),
  maxBodyBytes: bodyBytes.optional(),
  /** Projects of a Portfolio workspace; elements of another one are silently dropped. */
  projects: z.array(z.string().min(1)).optional(),
  /** IP allow-list: `X-Forwarded-For` must contain one of them. */
  allowedIps: z.array(z.string().min(1)).optional(),
  /** Attributes that name a user beside the standard ones, in order of preference. */
  identifiers: z.array(z.string().min(1)).optional(),
  /** Names with the prefix `moe_` that are taken beside the documented ones. */
  allowedNames: z.array(z.string().min(1)).optional(),
})
export type WorkspaceSettings = z.output<typeof workspace>

const latency = z.strictObject({
  /** Between the last byte of the body and its arrival: the request can still be lost. */
  beforeMs: wholeMs.default(0),
  /** Uniform extra, 0 to this. */
  beforeJitterMs: wholeMs.default(0),
  /** Between arrival and answer. */
  afterMs: wholeMs.default(0),
  afterJitterMs: wholeMs.default(0),
})
export type Latency = z.output<typeof latency>

/** All settings, changeable while running except host, port, seed and record. */
export const settingsSchema = z.strictObject({
  /** App id → key, or key and separate limits. */
  workspaces: z
    .record(
      z.string().min(1),
      z.union([z.string().transform((key): WorkspaceSettings => ({ key })), workspace]),
    )
    .default({ DEMO_DEBUG: { key: 'demo-key' } }),
  usersPerWindow: budget.default(vendor.USERS_PER_MINUTE),
  eventsPerWindow: budget.default(vendor.EVENTS_PER_MINUTE),
  /** null: device updates count as users. */
  devicesPerWindow: budget.nullable().default(null),
  windowMs: z
    .number()
    .int()
    .min(10)
    .max(3_600_000)
    .default(vendor.BUDGET_WINDOW_SECONDS * 1000),
  /** `sliding`: any window of that length. `fixed`: windows aligned to the wall clock. */
  windowMode: z.enum(['sliding', 'fixed']).default('sliding'),
  /** false: windows are measured, nothing is answered 429. */
  enforceLimits: z.boolean().default(true),
  maxBodyBytes: bodyBytes.default(vendor.MAX_BODY_BYTES),
  /** `strict`: 400 for the first invalid element. `silent`: 200 and dropped, as the bulk API documents. */
  validation: z.enum(['strict', 'silent']).default('strict'),
  /** Whether elements and attributes are dropped after a 200 as the newer pages document it. */
  newerRules: z.boolean().default(false),
  /** MoEngage's per-customer policy; a breach silently drops that customer's data. Empty: off. */
  customerLimits: z
    .array(z.object({ units: z.number().int().min(1), windowMs: z.number().int().min(1) }))
    .default([]),
  /** Form of the `x-ratelimit-*` headers of every answer. */
  rateLimitHeaders: z.enum(HEADER_FORMS).default('off'),
  /** Of workspaces that have no list; empty: any project is known. */
  projects: z.array(z.string().min(1)).default([]),
  /** Of workspaces that have no list; empty: any address. */
  allowedIps: z.array(z.string().min(1)).default([]),
  /** Of workspaces that have no list. */
  identifiers: z.array(z.string().min(1)).default([]),
  allowedNames: z.array(z.string().min(1)).default([]),
  latency: latency.default({ beforeMs: 0, beforeJitterMs: 0, afterMs: 0, afterJitterMs: 0 }),
  /** Handling of a complete request whose connection closes before its arrival. */
  closedBeforeArrival: z.enum(['drop', 'process']).default('drop'),
  /**
   * What is recorded of bodies. `counts`: elements are checked and counted, not kept. `sizes`: every
   * body within the limit is accepted and only its size recorded, so that the simulator is not the
   * bottleneck of a benchmark.
   */
  record: z.enum(['elements', 'counts', 'sizes']).default('elements'),
  recordMaxElements: z.number().int().min(1).max(5_000_000).default(200_000),
  recordMaxRequests: z.number().int().min(1).max(1_000_000).default(20_000),
  /** Seed of jitter and fault probabilities. */
  seed: z.number().int().default(1),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(0),
})

export type Settings = z.output<typeof settingsSchema>
export type SettingsInput = z.input<typeof settingsSchema>

const FIXED = {
  host: true,
  port: true,
  seed: true,
  record: true,
  recordMaxElements: true,
  recordMaxRequests: true,
} as const

const patchSchema = settingsSchema.omit(FIXED).extend({ latency: latency.partial() }).partial()
export type SettingsPatch = z.input<typeof patchSchema>

/** Settings with the fields of `patch` replaced (latency field by field); throws `ZodError`. */
export function patchSettings(settings: Settings, patch: unknown): Settings {
  const given = patch as Readonly<Record<string, unknown>>
  const parsed: Readonly<Record<string, unknown>> = patchSchema.parse(patch)
  // zod fills in defaults; only the given fields may change.
  const named = Object.entries(parsed).filter(([key]) => Object.hasOwn(given, key))
  const latencyGiven = given.latency as Partial<Latency> | undefined
  return {
    ...settings,
    ...Object.fromEntries(named),
    latency: { ...settings.latency, ...latencyGiven },
  }
}

export function limitsOf(settings: Settings, appId: string) {
  const own = settings.workspaces[appId]
  return {
    users: own?.usersPerWindow ?? settings.usersPerWindow,
    events: own?.eventsPerWindow ?? settings.eventsPerWindow,
    devices: own?.devicesPerWindow === undefined ? settings.devicesPerWindow : own.devicesPerWindow,
    maxBodyBytes: own?.maxBodyBytes ?? settings.maxBodyBytes,
  }
}

/** The names of one workspace beside MoEngage's documented ones. */
export function namesOf(settings: Settings, appId: string): OwnNames {
  const own = settings.workspaces[appId]
  return {
    identifiers: own?.identifiers ?? settings.identifiers,
    allowedNames: own?.allowedNames ?? settings.allowedNames,
  }
}
