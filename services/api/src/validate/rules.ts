import * as limits from './limits.js'

/**
 * Every rule that intake holds an element to: what it says to the producer, how grave it is, and
 * where it comes from. The checks name a rule by its key; metrics count by it.
 *
 * Sources: overview = the vendor's Data API overview page (wins), openapi = the vendor's OpenAPI
 * document, help = its public help pages, contract = relay's own promise. Read 2026-11.
 */
export interface Rule {
  /** `refuse` keeps the element out; `warn` is said beside the success. */
  readonly severity: 'refuse' | 'warn'
  /** The vendor's error type that fits best. */
  readonly type: string
  readonly source: string
  /** `detail` is what the check adds: a name, an expected type. Never a value of the customer's. */
  readonly message: (detail: string) => string
}

function refuse(type: string, source: string, message: (detail: string) => string): Rule {
  return { severity: 'refuse', type, source, message }
}

function warn(source: string, message: (detail: string) => string): Rule {
  return { severity: 'warn', type: 'Warning', source, message }
}

const MISSING = 'MissingAttributeError'
const ATTRIBUTE = 'AttributeError'
const TYPE = 'TypeError'

export const RULES = {
  // What an element is
  notAnObject: refuse(TYPE, 'openapi', () => 'expected object'),
  unknownType: refuse(ATTRIBUTE, 'openapi 400 invalid_type', (d) => d),
  wrongType: refuse(TYPE, 'overview 400 TypeError', (d) => `expected ${d}`),
  missing: refuse(
    MISSING,
    'overview 400 MissingAttributeError',
    (d) => `${d} not found in the payload`,
  ),
  empty: refuse(MISSING, 'openapi', (d) => `${d} cannot be empty`),
  unsendableText: refuse(
    ATTRIBUTE,
    'RFC 8259 8.2; contract',
    () => 'contains NUL or half of a surrogate pair, which cannot be delivered as sent',
  ),
  tooLarge: refuse('Payload too large', 'overview 413', (d) => d),

  // Whom it is about
  shortCustomerId: refuse(
    ATTRIBUTE,
    'overview, "any string of more than one characters"',
    () => `customer_id must have at least ${String(limits.CUSTOMER_ID_CHARACTERS)} characters`,
  ),
  blockedCustomerId: refuse(
    ATTRIBUTE,
    'overview, list of values',
    () => 'customer_id is one of the values that MoEngage does not allow',
  ),
  blockedIdSpelling: warn(
    'overview, list of values',
    () => 'customer_id is another spelling of a value that MoEngage does not allow',
  ),
  noIdentity: refuse(
    MISSING,
    'openapi, customer_id',
    (d) => `customer_id not found in the payload, nor ${d}`,
  ),
  identifierValue: refuse(
    TYPE,
    'openapi, user_identifiers',
    () => 'expected non-empty string or number',
  ),

  // Names
  blockedName: refuse(
    ATTRIBUTE,
    'openapi, UserAttributes',
    () => '"id", "_id" and "" are not allowed as names of user attributes',
  ),
  reservedName: refuse(
    ATTRIBUTE,
    'openapi, UserAttributes; facts for events',
    () => 'the prefix "moe_" is reserved by MoEngage; its use can get the account blocked',
  ),
  reservedDeviceName: warn(
    'openapi, UserAttributes',
    () => 'the prefix "moe_" is reserved by MoEngage and this is no documented device attribute',
  ),
  emptyName: warn(
    'openapi, UserAttributes',
    () => 'an empty name, which MoEngage blocks for user attributes',
  ),
  emptyAction: refuse(
    MISSING,
    'openapi 400 empty_action',
    () => 'action cannot be empty Unicode string',
  ),
  longName: warn('help', () => `longer than ${String(limits.NAME_CHARACTERS)} characters`),

  // Values
  arrayField: refuse(
    'ArrayFieldError',
    'openapi 400 ArrayFieldError',
    (d) => `Cannot add and remove '${d}' at the same time`,
  ),
  longValue: warn(
    'help',
    () => `MoEngage keeps ${String(limits.VALUE_CHARACTERS_KEPT)} characters; the rest is cut off`,
  ),
  longArray: warn(
    'help',
    () => `MoEngage keeps ${String(limits.ARRAY_ENTRIES_KEPT)} entries of an array`,
  ),
  manyAttributes: warn(
    'help',
    () => `an event carries at most ${String(limits.ATTRIBUTES_PER_EVENT)} attributes`,
  ),
  platformSpelling: warn('openapi, platform', (d) => `not a documented platform (${d})`),
  platformOfTv: warn('openapi, moe_os_type', () => 'moe_os_type is for the platform TV only'),

  // Time
  notATime: refuse(
    TYPE,
    'openapi, current_time and user_time',
    () => 'expected ISO 8601 or epoch seconds or milliseconds',
  ),
  futureTime: refuse(
    ATTRIBUTE,
    'contract; "future events are not accepted"',
    () => 'lies more than 5 minutes in the future',
  ),
  oldTime: warn('own choice', () => 'lies more than a year in the past; is the unit right?'),
  timezoneOffset: refuse(
    ATTRIBUTE,
    'openapi, user_timezone_offset',
    () =>
      `must lie between -${String(limits.TIMEZONE_OFFSET_SECONDS)} and ${String(limits.TIMEZONE_OFFSET_SECONDS)} seconds`,
  ),
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof RULES
