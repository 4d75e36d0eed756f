import { isIP } from 'node:net'
import { z } from 'zod'
import * as vendor from '../vendor/limits.js'
import {
  CUSTOMER_LIMITS_ACCEPTED,
  parseCustomerLimits,
  type CustomerLimit,
} from './customer-limits.js'
import type { ConfigFault } from './fault.js'
import { jsonFaultPlace } from './json-place.js'

export interface WorkspaceLimits {
  /** User updates that one budget window allows. */
  readonly usersPerWindow: number
  /** Events that one budget window allows. */
  readonly eventsPerWindow: number
  /** Device updates that one window allows, or null: devices are charged to the users budget. */
  readonly devicesPerWindow: number | null
  /** Largest bulk body, bytes. */
  readonly maxBodyBytes: number
}

export interface ProducerQuota {
  readonly elementsPerMinute?: number | undefined
  /** Share of the backlog limit this producer may fill, 0..1. */
  readonly backlogShare?: number | undefined
}

/** `shadow`: everything but the sending, for migrations. */
export const WORKSPACE_MODES = ['live', 'shadow'] as const
export type WorkspaceMode = (typeof WORKSPACE_MODES)[number]

/** Fate of elements that were accepted in shadow. */
export const SHADOWED = ['drop', 'send'] as const
export type Shadowed = (typeof SHADOWED)[number]

/** One MoEngage workspace that relay delivers to. */
export interface Workspace {
  readonly appId: string
  /** Data API key. Secret: never logged, never in an error. */
  readonly apiKey: string
  /** Origin without trailing slash, e.g. `https://api-02.moengage.com`. */
  readonly baseUrl: string
  readonly limits: WorkspaceLimits
  /** Producers that may post; null: every producer. */
  readonly producers: ReadonlySet<string> | null
  readonly quotas: ReadonlyMap<string, ProducerQuota>
  /** Whether elements are coalesced; defaults to `RELAY_COALESCE`. */
  readonly coalesce?: boolean | undefined
  /** Sent as `X-Forwarded-For` to a workspace with an IP allow-list; absent: the header is not sent. */
  readonly forwardedFor?: string | undefined
  /** MoEngage's per-customer policy, shortest window first; absent: not enforced. */
  readonly customerLimits?: readonly CustomerLimit[] | undefined
  /** Attributes that name a user here beside the standard ones, in order of preference. */
  readonly identifiers?: readonly string[] | undefined
  /** Names with the prefix `moe_` that may be sent here beside the documented ones. */
  readonly allowedNames?: readonly string[] | undefined
  readonly mode: WorkspaceMode
  /** `drop`: they are discarded. `send`: they wait until the workspace is live. */
  readonly shadowed: Shadowed
}

export const APP_ID = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"')

export const BASE_URL_ACCEPTED = 'an http(s) origin such as https://api-02.moengage.com'

/** A base URL without its last slash, with a gateway's path; null: invalid (credentials, query, other scheme). */
export function parseBaseUrl(text: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  const scheme = url.protocol === 'https:' || url.protocol === 'http:'
  if (!plain || !scheme) return null
  return url.pathname === '/' ? url.origin : url.origin + url.pathname.replace(/\/+$/, '')
}

/** The vendor's host for a data centre number. openapi: `https://api-{dc}.moengage.com`. */
export function dataCentreUrl(dc: string): string {
  return `https://api-${dc}.moengage.com`
}

export const DATA_CENTRE = z.string().regex(/^\d{2,3}$/, 'must be two or three digits')

/** Attributes that may identify a user beside the standard ones: "up to five". help. */
const MAX_IDENTIFIERS = 5
const MAX_ALLOWED_NAMES = 100

const distinct = (names: readonly string[]) => new Set(names).size === names.length

export const IDENTIFIERS_ACCEPTED = `at most ${MAX_IDENTIFIERS} distinct attribute names of 1 to 200 characters, in order of preference`

export const IDENTIFIERS = z
  .array(z.string().trim().min(1).max(200))
  .max(MAX_IDENTIFIERS, `must be ${IDENTIFIERS_ACCEPTED}`)
  .refine(distinct, `must be ${IDENTIFIERS_ACCEPTED}`)

export const ALLOWED_NAMES_ACCEPTED = `at most ${MAX_ALLOWED_NAMES} names that begin with moe_`

export const ALLOWED_NAMES = z
  .array(
    z
      .string()
      .trim()
      .regex(/^moe_\S{1,196}$/, `must be ${ALLOWED_NAMES_ACCEPTED}`),
  )
  .max(MAX_ALLOWED_NAMES, `must be ${ALLOWED_NAMES_ACCEPTED}`)

const positive = z.number().int().min(1)

const limitsSchema = z.strictObject({
  usersPerMinute: positive.optional(),
  eventsPerMinute: positive.optional(),
  devicesPerMinute: positive.optional(),
  maxBodyBytes: positive.min(200).max(vendor.MAX_BODY_BYTES).optional(),
})

const workspaceSchema = z
  .strictObject({
    appId: APP_ID,
    apiKey: z.string().min(1).optional(),
    apiKeyFile: z.string().min(1).optional(),
    baseUrl: z.string().optional(),
    dc: DATA_CENTRE.optional(),
    limits: limitsSchema.optional(),
    coalesce: z.boolean().optional(),
    forwardedFor: z
      .string()
      .refine((address) => isIP(address) !== 0, 'must be an IP address')
      .optional(),
    customerLimits: z.string().optional(),
    identifiers: IDENTIFIERS.optional(),
    allowedNames: ALLOWED_NAMES.optional(),
    mode: z.enum(WORKSPACE_MODES).default('live'),
    shadowed: z.enum(SHADOWED).default('drop'),
    producers: z.array(z.string().min(1)).optional(),
    quotas: z
      .record(
        z.string().min(1),
        z.strictObject({
          elementsPerMinute: positive.optional(),
          backlogShare: z.number().gt(0).max(1).optional(),
        }),
      )
      .optional(),
  })
  .refine((w) => (w.apiKey === undefined) !== (w.apiKeyFile === undefined), {
    path: ['apiKey'],
    message: 'give exactly one of apiKey and apiKeyFile',
  })
  .refine((w) => (w.baseUrl === undefined) !== (w.dc === undefined), {
    path: ['baseUrl'],
    message: 'give exactly one of baseUrl and dc (there is no default data centre)',
  })
  .refine((w) => w.baseUrl === undefined || parseBaseUrl(w.baseUrl) !== null, {
    path: ['baseUrl'],
    message: `must be ${BASE_URL_ACCEPTED}`,
  })
  .refine((w) => parseCustomerLimits(w.customerLimits ?? 'off') !== null, {
    path: ['customerLimits'],
    message: `must be ${CUSTOMER_LIMITS_ACCEPTED}`,
  })

const fileSchema = z.strictObject({ workspaces: z.array(workspaceSchema) })

export interface WorkspaceFileContext {
  readonly file: string
  readonly defaults: WorkspaceLimits
  /** Of workspaces that name none, like the next. */
  readonly customerLimits?: readonly CustomerLimit[]
  readonly forwardedFor?: string | undefined
  /**
   * Contents of an `apiKeyFile`; throws when it cannot be read but must be. A key that it returns as null stays
   * unread, and is ''; so do all without this function.
   */
  readonly readKeyFile: ((path: string) => string | null) | null
}

const FILE_ACCEPTED = 'the workspaces file described in docs/reference/configuration.md'
export const KEY_FILE_ACCEPTED = 'a readable file with the Data API key'

/** Reads the text of a workspaces file; returns every fault it has, or the workspaces. */
export function parseWorkspacesFile(
  text: string,
  { file, defaults, readKeyFile, ...others }: WorkspaceFileContext,
): { workspaces: Workspace[]; faults: ConfigFault[] } {
  const fault = (where: string, problem: string, accepted = FILE_ACCEPTED): ConfigFault => ({
    where: where === '' ? file : `${file} ${where}`,
    problem,
    accepted,
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // Not the parser's own words: they may quote a key.
    const place = jsonFaultPlace(text) ?? 'some place'
    return { workspaces: [], faults: [fault('', `is not valid JSON at ${place}`)] }
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((i) => fault(i.path.join('.'), i.message))
    return { workspaces: [], faults }
  }
  const faults: ConfigFault[] = []
  const seen = new Set<string>()
  const workspaces = parsed.data.workspaces.map((raw, i): Workspace => {
    if (seen.has(raw.appId)) faults.push(fault(`workspaces.${i}.appId`, 'appears twice'))
    seen.add(raw.appId)
    let apiKey = raw.apiKey ?? ''
    if (raw.apiKeyFile !== undefined && readKeyFile !== null) {
      const where = `workspaces.${i}.apiKeyFile`
      try {
        const key = readKeyFile(raw.apiKeyFile)?.trim()
        if (key === '') faults.push(fault(where, 'is empty', KEY_FILE_ACCEPTED))
        apiKey = key ?? ''
      } catch {
        faults.push(fault(where, 'cannot be read', KEY_FILE_ACCEPTED))
      }
    }
    return {
      appId: raw.appId,
      apiKey,
      baseUrl: parseBaseUrl(raw.baseUrl ?? '') ?? dataCentreUrl(raw.dc ?? ''),
      limits: limitsOf(raw.limits, defaults),
      producers: raw.producers ? new Set(raw.producers) : null,
      quotas: new Map(Object.entries(raw.quotas ?? {})),
      coalesce: raw.coalesce,
      forwardedFor: raw.forwardedFor ?? others.forwardedFor,
      customerLimits: customerLimitsOf(raw.customerLimits) ?? others.customerLimits,
      identifiers: raw.identifiers,
      allowedNames: raw.allowedNames,
      mode: raw.mode,
      shadowed: raw.shadowed,
    }
  })
  return { workspaces, faults }
}

function customerLimitsOf(text: string | undefined): readonly CustomerLimit[] | null {
  return text === undefined ? null : (parseCustomerLimits(text) ?? [])
}

function limitsOf(
  own: z.output<typeof limitsSchema> | undefined,
  defaults: WorkspaceLimits,
): WorkspaceLimits {
  return {
    usersPerWindow: own?.usersPerMinute ?? defaults.usersPerWindow,
    eventsPerWindow: own?.eventsPerMinute ?? defaults.eventsPerWindow,
    devicesPerWindow: own?.devicesPerMinute ?? defaults.devicesPerWindow,
    maxBodyBytes: own?.maxBodyBytes ?? defaults.maxBodyBytes,
  }
}
