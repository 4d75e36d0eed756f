import type { z } from 'zod'
import {
  CUSTOMER_LIMITS_ACCEPTED,
  parseCustomerLimits,
} from '@relay/shared/config/customer-limits.js'
import { ConfigError, type ConfigFault } from '@relay/shared/config/fault.js'
import { CUSTOMER_LIMITS, NEWER_LIMITS } from '@relay/shared/vendor/limits.js'
import { HEADER_FORMS } from './vendor/answers.js'
import { settingsSchema, type Settings, type SettingsInput } from './settings.js'

type Read = (text: string) => unknown

interface Variable {
  readonly name: string
  readonly read: Read
  readonly accepted: string
  readonly path: readonly [keyof SettingsInput, string?]
}

/** `npm start` and the documentation depend on it. */
const DEFAULT_PORT = 9400

const whole: Read = (text) => (/^-?\d+$/.test(text) ? Number(text) : Number.NaN)
const plain: Read = (text) => text
const seconds: Read = (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Number.NaN)
const list: Read = (text) => text.split(',').map((entry) => entry.trim())
/** Not a list of limits: kept as text, which the schema refuses. */
const customerLimits: Read = (text) => parseCustomerLimits(text) ?? text
const yesNo: Read = (text) => ({ true: true, false: false })[text] ?? text
const workspaces: Read = (text) =>
  Object.fromEntries(
    text.split(',').map((entry) => {
      const colon = entry.indexOf(':')
      return colon < 1 ? ['', ''] : [entry.slice(0, colon).trim(), entry.slice(colon + 1)]
    }),
  )

const variable = (
  name: string,
  read: Read,
  accepted: string,
  ...path: Variable['path']
): Variable => ({ name, read, accepted, path })

const MS = 'ms from 0 to 3600000'

/** Every variable of the simulator, in the order of its README. */
const VARIABLES: readonly Variable[] = [
  variable('PORT', whole, 'a port, 0 for a free one', 'port'),
  variable('SIM_HOST', plain, 'an address to listen on', 'host'),
  variable('SIM_WORKSPACES', workspaces, 'appId:key,appId:key', 'workspaces'),
  variable('SIM_USERS_PER_WINDOW', whole, 'a whole number from 1', 'usersPerWindow'),
  variable('SIM_EVENTS_PER_WINDOW', whole, 'a whole number from 1', 'eventsPerWindow'),
  variable('SIM_DEVICES_PER_WINDOW', whole, 'a whole number from 1', 'devicesPerWindow'),
  variable('SIM_WINDOW_SECONDS', seconds, 'seconds from 0.01 to 3600', 'windowMs'),
  variable('SIM_WINDOW_MODE', plain, 'sliding or fixed', 'windowMode'),
  variable('SIM_ENFORCE_LIMITS', yesNo, 'true or false', 'enforceLimits'),
  variable('SIM_MAX_BODY_BYTES', whole, 'bytes from 1 to 128000', 'maxBodyBytes'),
  variable('SIM_VALIDATION', plain, 'strict or silent', 'validation'),
  variable('SIM_NEWER_RULES', yesNo, 'true or false', 'newerRules'),
  variable('SIM_LATENCY_BEFORE_MS', whole, MS, 'latency', 'beforeMs'),
  variable('SIM_LATENCY_BEFORE_JITTER_MS', whole, MS, 'latency', 'beforeJitterMs'),
  variable('SIM_LATENCY_AFTER_MS', whole, MS, 'latency', 'afterMs'),
  variable('SIM_LATENCY_AFTER_JITTER_MS', whole, MS, 'latency', 'afterJitterMs'),
  variable('SIM_CLOSED_BEFORE_ARRIVAL', plain, 'drop or process', 'closedBeforeArrival'),
  variable('SIM_CUSTOMER_LIMITS', customerLimits, CUSTOMER_LIMITS_ACCEPTED, 'customerLimits'),
  variable('SIM_RATE_LIMIT_HEADERS', plain, HEADER_FORMS.join(', '), 'rateLimitHeaders'),
  variable('SIM_PROJECTS', list, 'project codes, separated by commas', 'projects'),
  variable('SIM_ALLOWED_IPS', list, 'addresses, separated by commas', 'allowedIps'),
  variable('SIM_IDENTIFIERS', list, 'attribute names, separated by commas', 'identifiers'),
  variable('SIM_ALLOWED_NAMES', list, 'names, separated by commas', 'allowedNames'),
  variable('SIM_RECORD', plain, 'elements, counts or sizes', 'record'),
  variable('SIM_RECORD_MAX_ELEMENTS', whole, 'a whole number from 1', 'recordMaxElements'),
  variable('SIM_RECORD_MAX_REQUESTS', whole, 'a whole number from 1', 'recordMaxRequests'),
  variable('SIM_SEED', whole, 'a whole number', 'seed'),
]

/** Settings that belong together; a single variable overrides one of them. */
const PRESETS: Readonly<Record<string, SettingsInput>> = {
  /** The vendor's overview, which relay's defaults are. */
  overview: {},
  /** What its newer pages say. */
  newer: {
    usersPerWindow: NEWER_LIMITS.users,
    eventsPerWindow: NEWER_LIMITS.events,
    devicesPerWindow: NEWER_LIMITS.devices,
    windowMode: 'fixed',
    validation: 'silent',
    newerRules: true,
    rateLimitHeaders: 'seconds',
    customerLimits: [...(parseCustomerLimits(CUSTOMER_LIMITS) ?? [])],
  },
}
const PRESETS_ACCEPTED = Object.keys(PRESETS).join(' or ')

/** Reads the simulator's environment; throws `ConfigError` with every fault at once. */
export function parseSimulatorEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const named = env.SIM_PRESET ?? ''
  const preset = PRESETS[named === '' ? 'overview' : named]
  const unknownPreset = { where: 'SIM_PRESET', problem: 'is unknown', accepted: PRESETS_ACCEPTED }
  const input: Record<string, unknown> = { port: DEFAULT_PORT, ...preset }
  for (const { name, read, path } of VARIABLES) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const [field, inner] = path
    const value = read(text)
    input[field] = inner === undefined ? value : { ...(input[field] ?? {}), [inner]: value }
  }
  const parsed = settingsSchema.safeParse(input)
  const faults = parsed.success ? [] : parsed.error.issues.map(toFault)
  if (preset === undefined) faults.unshift(unknownPreset)
  if (parsed.success && faults.length === 0) return parsed.data
  throw new ConfigError(faults)
}

function toFault({ path, message }: z.core.$ZodIssue): ConfigFault {
  const found = VARIABLES.find(
    (v) => v.path[0] === path[0] && (v.path[1] === undefined || v.path[1] === path[1]),
  )
  return { where: found?.name ?? path.join('.'), problem: message, accepted: found?.accepted ?? '' }
}
