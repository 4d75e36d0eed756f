/**
 * Limits of the MoEngage Data API, each once, with unit and source.
 * overview = the vendor's Data API overview page, openapi = the vendor's OpenAPI document,
 * help = public help pages; all read 2026-11.
 */

/** Largest bulk body, bytes of UTF-8. overview: 413 above "128KB"; 128,000 holds under either reading. */
export const MAX_BODY_BYTES = 128_000

/** User updates per minute and workspace, devices included. overview. */
export const USERS_PER_MINUTE = 5_000

/** Events per minute and workspace; each entry of `actions` is one. overview. */
export const EVENTS_PER_MINUTE = 20_000

/** The window both budgets are counted over, seconds. overview: "per min". */
export const BUDGET_WINDOW_SECONDS = 60

/** Pause between tries after a 5xx, ms. overview: "retry every 2 seconds …". */
export const RETRY_INTERVAL_MS = 2_000

/** Tries after a 5xx. overview: "… for a maximum of 5 times". */
export const RETRY_ATTEMPTS = 5

/** `customer_id` values that MoEngage refuses, exact spelling. overview. */
export const BLOCKED_CUSTOMER_IDS: readonly string[] = [
  'unknown',
  'guest',
  'null',
  '0',
  '1',
  'true',
  'false',
  'user_attribute_unique_id',
  '(empty)',
  'na',
  'n/a',
  '',
  'dummy_seller_code',
  'user_id',
  'id',
  'customer_id',
  'uid',
  'userid',
  'none',
  '-2',
  '-1',
  '2',
]

/** Longest time until a window of `x-ratelimit-reset` resets, ms. help rate-limits: `w=60`, read 2026-11-29. */
export const MAX_RESET_MS = 60_000

/**
 * Fair Usage Policy per end user, units in seconds; a breach silently drops that user's data for an
 * hour, three in a row for seven days. vendor help "fair-usage-policy-fup", read 2026-11-29.
 */
export const CUSTOMER_LIMITS = '5000/60,10000/300,50000/3600,100000/86400'

/** Limits of the bulk API as published since: a minute, over all requests. help rate-limits, read 2026-11-29. */
export const NEWER_LIMITS = { users: 60_000, events: 60_000, devices: 10_000 } as const

/** Characters that MoEngage keeps of a value; the rest is cut off, and a longer URL not taken. help. */
export const VALUE_CHARACTERS_KEPT = 512

/** Longest name of an attribute or event, characters; the rest is cut off. help. */
export const NAME_CHARACTERS = 200

/** Attributes that one event may carry. help. */
export const ATTRIBUTES_PER_EVENT = 100

/** Envelope of a bulk request's elements, `{"type":"transition","elements":[…]}`. Source: openapi. */
const BULK_PREFIX = '{"type":"transition","elements":['
const BULK_SUFFIX = ']}'

/** Bytes of a bulk body that are not elements or the commas between them. */
export const BULK_ENVELOPE_BYTES = BULK_PREFIX.length + BULK_SUFFIX.length
