import {
  ADD_TO_ARRAY,
  IDENTIFIER_ATTRIBUTES,
  PLATFORMS_ATTRIBUTE,
  REMOVE_FROM_ARRAY,
} from '@relay/shared/vendor/user-attributes.js'
import { isDate, isEmail, isIsoDateTime } from './format.js'
import type { RuleName } from './rules.js'
import {
  BLOCKED_ATTRIBUTE_NAMES,
  RESERVED_USER_ATTRIBUTES,
  STANDARD_DEVICE_ATTRIBUTES,
  STANDARD_EVENT_ATTRIBUTES,
  STANDARD_USER_ATTRIBUTES,
  TV_SYSTEMS,
} from './names.js'

/**
 * The type of a documented field, as one hand-written lookup per field: a zod schema costs 10 to 40
 * times as much per element, and this is the hot path.
 */
export interface FieldType {
  /** In the vendor's words: "expected string". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** Values that are accepted with a warning. */
  readonly doubt?: { readonly rule: RuleName; readonly isAbout: (value: unknown) => boolean }
}

const isString = (value: unknown) => typeof value === 'string'
const isBoolean = (value: unknown) => typeof value === 'boolean'
const oneOf = (values: ReadonlySet<string>) => (value: unknown) =>
  typeof value === 'string' && values.has(value)

const STRING: FieldType = { expected: 'string', accepts: isString }
export const BOOLEAN: FieldType = { expected: 'boolean', accepts: isBoolean }
const INTEGER: FieldType = { expected: 'integer', accepts: Number.isInteger }

/** Any two strings around "@": addresses can contain letters outside ASCII. */
const ADDRESS = /^\s*(?:[^\s@]+@[^\s@]+\s*)?$/

const EMAIL: FieldType = {
  expected: 'string with an email address',
  accepts: (value) => typeof value === 'string' && ADDRESS.test(value),
  doubt: { rule: 'emailSpelling', isAbout: (value) => value !== '' && !isEmail(value) },
}
const DATE_TIME: FieldType = {
  expected: 'string',
  accepts: isString,
  doubt: {
    rule: 'dateSpelling',
    isAbout: (value) => value !== '' && !isDate(value) && !isIsoDateTime(value),
  },
}

function choice(...values: string[]): FieldType {
  return { expected: `one of ${values.join(', ')}`, accepts: oneOf(new Set(values)) }
}

/** openapi, UserAttributes. */
export const USER_ATTRIBUTE_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['u_n', STRING],
  ['u_fn', STRING],
  ['u_ln', STRING],
  ['u_gd', STRING],
  ['u_em', EMAIL],
  ['u_mb', STRING],
  ['uid', STRING],
  ['u_bd', DATE_TIME],
  ['moe_wa_subscription', BOOLEAN],
  ['moe_em_unsub_categories', STRING],
  ['push_preference', BOOLEAN],
  ['moe_sub_w', BOOLEAN],
  ['moe_spam', BOOLEAN],
  ['moe_unsubscribe', BOOLEAN],
  ['moe_hard_bounce', BOOLEAN],
  ['moe_sms_subscription', STRING],
  ['moe_email_optin_status', choice('DOUBLE_OPTED_IN', 'OPTED_OUT', 'OPT_IN_PENDING')],
  ['publisher_name', STRING],
  ['campaign_name', STRING],
  ['u_l_a', INTEGER],
  ['cr_t', INTEGER],
  ['geo', STRING],
  ['moe_gaid', STRING],
  ['advertising_identifier', STRING],
])

/** openapi, DeviceAttributes; `platform` and `push_id` have separate rules. */
export const DEVICE_ATTRIBUTE_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['model', STRING],
  ['moe_push_opted', choice('True', 'False')],
  ['moe_push_provisional_opted', STRING],
  ['app_version', STRING],
  ['os_version', STRING],
  ['moe_gaid', STRING],
  ['idfv', STRING],
])

/** openapi, EventAction; names, times and platform have separate rules. */
export const ACTION_FIELD_TYPES: readonly (readonly [string, FieldType])[] = [
  ['platform', STRING],
  ['app_version', STRING],
  ['moe_os_type', choice(...TV_SYSTEMS)],
]

/**
 * Every name in `attributes` that a rule of users, devices or events uses, except non-standard names
 * with a reserved prefix.
 */
export const RULED_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...USER_ATTRIBUTE_TYPES.keys(),
  ...DEVICE_ATTRIBUTE_TYPES.keys(),
  ...IDENTIFIER_ATTRIBUTES,
  ...BLOCKED_ATTRIBUTE_NAMES,
  ...STANDARD_USER_ATTRIBUTES,
  ...STANDARD_DEVICE_ATTRIBUTES,
  ...STANDARD_EVENT_ATTRIBUTES,
  ...RESERVED_USER_ATTRIBUTES,
  ADD_TO_ARRAY,
  REMOVE_FROM_ARRAY,
  PLATFORMS_ATTRIBUTE,
  'platform',
  'push_id',
])

/** openapi, PlatformObject. */
export const PLATFORM_ACTIVE = choice('true', 'false')
