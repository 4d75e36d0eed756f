/** Names with a meaning at MoEngage. Source unless said otherwise: openapi, read 2026-11. */

/** Element types, and the kind of budget each is charged to. */
export const KIND_OF_TYPE = { customer: 'user', event: 'event', device: 'device' } as const
export type ElementType = keyof typeof KIND_OF_TYPE

/** Names that are not allowed for user attributes. */
export const BLOCKED_ATTRIBUTE_NAMES: ReadonlySet<string> = new Set(['', 'id', '_id'])

/** Reserved: "using it might result in periodic blacklisting without prior communication". */
export const RESERVED_PREFIX = 'moe_'

/** Standard user attributes that may carry the reserved prefix. */
export const STANDARD_USER_ATTRIBUTES: ReadonlySet<string> = new Set([
  // help: release notes of July 2026; it is required by law in some countries.
  'moe_email_open_tracking_consent',
  'moe_email_optin_status',
  'moe_em_unsub_categories',
  'moe_gaid',
  'moe_hard_bounce',
  'moe_mobile',
  // help, data-overview.
  'moe_mweb',
  'moe_sms_subscription',
  'moe_spam',
  'moe_sub_w',
  'moe_unsubscribe',
  'moe_wa_subscription',
])

/** Event attributes that may carry the reserved prefix. The vendor's samples send both. */
export const STANDARD_EVENT_ATTRIBUTES: ReadonlySet<string> = new Set([
  'moe_mobile',
  'moe_os_type',
  // help, portfolio.
  'moe_project_name',
])

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

/** Device attributes that may carry the reserved prefix. */
export const STANDARD_DEVICE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'moe_gaid',
  'moe_push_opted',
  'moe_push_provisional_opted',
])

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
