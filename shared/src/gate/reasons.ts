/** Why sending to a workspace stops until an operator or time fixes it. Nothing is lost meanwhile. */
export const REFUSAL_REASONS = [
  /** Key or app id are wrong: 401. */
  'credentials_refused',
  /** Suspended, blocked or blacklisted: mostly 403. */
  'account_refused',
  /** The IP allow-list of the workspace does not name the address that relay sent, or sends from. */
  'ip_refused',
  /** The app id is unknown, does not match, or has no secret set: 409 and InvalidParams. */
  'misconfigured',
  /** Not MoEngage's bulk import: 3xx, 404, 405. */
  'wrong_host',
  /** relay or a proxy built an invalid request, which a retry does not fix. */
  'wrong_request',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

/** Faults that pass by themselves. */
export const TRANSIENT_REASONS = [
  'server_error',
  'request_timeout',
  'too_early',
  'unreadable_answer',
  'timeout',
  'reset',
  // The four that `baseUrl`, DNS or egress rules may cause, and that time does not always end.
  'unresolvable',
  'connection_refused',
  'unreachable',
  'certificate',
  'tls',
] as const
export type TransientReason = (typeof TRANSIENT_REASONS)[number]
