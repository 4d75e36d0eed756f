/** Names with a meaning at MoEngage. Source unless said otherwise: openapi, read 2026-11. */

export {
  RESERVED_PREFIX,
  STANDARD_DEVICE_ATTRIBUTES,
  STANDARD_EVENT_ATTRIBUTES,
  STANDARD_USER_ATTRIBUTES,
} from '@relay/shared/vendor/reserved-names.js'

/** Element types, and the kind of budget each is charged to. */
export const KIND_OF_TYPE = { customer: 'user', event: 'event', device: 'device' } as const
export type ElementType = keyof typeof KIND_OF_TYPE

/** Names that are not allowed for user attributes. */
export const BLOCKED_ATTRIBUTE_NAMES: ReadonlySet<string> = new Set(['', 'id', '_id'])

/** User attributes that MoEngage reserves: values sent for them are lost. help, data-overview. */
export const RESERVED_USER_ATTRIBUTES: ReadonlySet<string> = new Set([
  'MOE_TIME_FORMAT',
  'MOE_TIME_TIMEZONE',
  'MOE_GAID',
  'MOE_ISLAT',
  'INSTALL',
  'UPDATE',
  'status',
  'user_id',
  'source',
])

/** Prefix of ten more of them. */
export const RESERVED_USER_PREFIX = 'USER_ATTRIBUTE_'

const OPERATOR = /^(?:add|append|remove)values?(?:to|from)arrays?fields?$/

/** Whether a name is an array operator of users, or looks like one in another spelling. */
export function isLikeOperator(name: string): boolean {
  return name.length < 60 && OPERATOR.test(name.toLowerCase().replaceAll(/[\s_-]/g, ''))
}

/** Shorter names are no such operator, bytes. */
export const OPERATOR_BYTES = 'addValueToArrayField'.length

/** Platforms by position; another spelling is a warning, because the vendor's samples break them. */
export const EVENT_PLATFORMS: ReadonlySet<string> = new Set([
  'ANDROID',
  'iOS',
  'web',
  'TV',
  'unknown',
])
export const DEVICE_PLATFORMS: ReadonlySet<string> = new Set(['ANDROID', 'iOS', 'web', 'TV'])
export const USER_PLATFORMS: ReadonlySet<string> = new Set(['ANDROID', 'iOS', 'web'])

export const TV_SYSTEMS: ReadonlySet<string> = new Set([
  'ROKU',
  'WebOS',
  'AndroidTV',
  'tvOS',
  'Tizen',
  'FireOS',
  'VizioTV',
  'Xbox',
])
