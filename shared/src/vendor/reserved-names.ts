/** Names with the reserved prefix. Source unless said otherwise: openapi, read 2026-11. */

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

/** Device attributes that may carry the reserved prefix. */
export const STANDARD_DEVICE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'moe_gaid',
  'moe_push_opted',
  'moe_push_provisional_opted',
])
