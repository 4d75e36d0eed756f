/**
 * Limits that validation checks, each with unit and source. overview, openapi and help are the
 * vendor's documents, read 2026-11.
 */

export {
  ATTRIBUTES_PER_EVENT,
  NAME_CHARACTERS,
  VALUE_CHARACTERS_KEPT,
} from '@relay/shared/vendor/limits.js'

/** Entries that MoEngage keeps of an array. help. */
export const ARRAY_ENTRIES_KEPT = 50

/** Entries that MoEngage keeps of an array of objects. help, object data type. */
export const OBJECT_ENTRIES_KEPT = 100

/** Members of one object. help, object data type. */
export const OBJECT_KEYS = 100

/** Nested objects that MoEngage keeps; deeper ones become text. help, object data type. */
export const OBJECT_LEVELS = 2

/** Largest object, bytes of JSON, under the wider reading of "25 KB". help, object data type. */
export const OBJECT_BYTES = 25_600

/** The same under the narrower reading: above it the outcome is unknown. */
export const OBJECT_BYTES_DOUBTFUL = 25_000

/** Offsets of time zones are multiples of this many seconds (a quarter of an hour). */
export const TIMEZONE_STEP_SECONDS = 900

/** `user_timezone_offset` lies within this many seconds of UTC. openapi. */
export const TIMEZONE_OFFSET_SECONDS = 54_000

/** How far the clock of a producer may be ahead, ms. "Future events are not accepted": contract. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000

/** An event older than this probably has the wrong unit, ms (one year). Own choice. */
export const OLD_EVENT_MS = 365 * 24 * 3_600_000

/** Shortest `customer_id`, characters. overview: "any string of more than one characters". */
export const CUSTOMER_ID_CHARACTERS = 2

/** An event with this many problems is not checked further. Own choice: an answer lists 1,000. */
export const PROBLEMS_PER_ELEMENT = 10_000

/** Nesting of containers in a body, levels. contract. */
export const NESTING_LEVELS = 64
