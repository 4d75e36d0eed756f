/**
 * Bounds that validation checks, each once with unit and source. overview, openapi and help are the
 * vendor's documents, read 2026-11.
 */

/** Characters that MoEngage keeps of a value; the rest is cut off. help. */
export const VALUE_CHARACTERS_KEPT = 512

/** Entries that MoEngage keeps of an array. help. */
export const ARRAY_ENTRIES_KEPT = 50

/** Longest name of an attribute or event, characters. help. */
export const NAME_CHARACTERS = 200

/** Attributes that one event may carry. help. */
export const ATTRIBUTES_PER_EVENT = 100

/** `user_timezone_offset` lies within this many seconds of UTC. openapi. */
export const TIMEZONE_OFFSET_SECONDS = 54_000

/** How far the clock of a producer may be ahead, ms. "Future events are not accepted": contract. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000

/** An event older than this is likely a mistake of units, ms (one year). Own choice. */
export const OLD_EVENT_MS = 365 * 24 * 3_600_000

/** Shortest `customer_id`, characters. overview: "any string of more than one characters". */
export const CUSTOMER_ID_CHARACTERS = 2

/** Nesting of containers in a body, levels. contract. */
export const NESTING_LEVELS = 64
