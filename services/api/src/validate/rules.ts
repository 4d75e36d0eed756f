import * as limits from './limits.js'

/**
 * Every rule of the intake: its message to the producer, severity and source. The checks refer to a
 * rule by its key; metrics count by it.
 *
 * Sources: overview = the vendor's Data API overview page (wins), openapi = the vendor's OpenAPI
 * document, help = its public help pages, contract = relay's own promise. Read 2026-11.
 */
export interface Rule {
  /** `refuse` rejects the element; `warn` is returned with the success. */
  readonly severity: 'refuse' | 'warn'
  /** The vendor's error type that fits best. */
  readonly type: string
  readonly source: string
  /** `detail` is added by the check: a name or an expected type. Never a customer's value. */
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
  // Type and members
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

  unknownMember: warn('openapi', (d) => {
    const meant = d === '' ? '' : ` Did you mean "${d}"?`
    return `MoEngage does not know this member and drops it.${meant}`
  }),
  repeatedMember: warn(
    'RFC 8259 4; own choice',
    () => 'occurs more than once in its object; only the last one is sent',
  ),
  nullMember: warn('own choice', () => 'null counts as absent: relay leaves the member out'),

  // Customer identity
  shortCustomerId: refuse(
    ATTRIBUTE,
    'overview, "any string of more than one characters"',
    () => `customer_id must have at least ${limits.CUSTOMER_ID_CHARACTERS} characters`,
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
  spacedId: warn(
    'own choice: MoEngage may keep it as another user',
    () => 'customer_id begins or ends with a blank, or contains an invisible character',
  ),
  placeholderId: refuse(
    ATTRIBUTE,
    'own choice: a placeholder, which would merge all its users into one',
    () => 'customer_id is a placeholder for a missing value',
  ),
  controlInId: refuse(
    ATTRIBUTE,
    'own choice: no such id can be found again at MoEngage',
    () => 'customer_id contains a control character',
  ),
  noIdentity: refuse(
    MISSING,
    'openapi, customer_id',
    (d) => `neither customer_id nor ${d} found in the payload`,
  ),
  identifierValue: refuse(
    TYPE,
    'openapi, user_identifiers',
    () => 'expected non-empty string or number',
  ),

  idleIdentifier: warn(
    'help, identity resolution',
    () => 'does not identify a user: expected non-blank string or number',
  ),
  placeholderIdentifier: warn(
    'own choice',
    () => 'is a placeholder for a missing value; all its users become one',
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
    () =>
      'the prefix "moe_" is reserved by MoEngage; MoEngage may block accounts that use it. To allow a new MoEngage name, use MOENGAGE_ALLOWED_NAMES or allowedNames',
  ),
  reservedDeviceName: warn(
    'openapi, UserAttributes',
    () => 'the prefix "moe_" is reserved by MoEngage and this is not a documented device attribute',
  ),
  deviceAttribute: warn(
    'help, data-overview',
    () => 'not a documented device attribute; MoEngage drops it',
  ),
  reservedUserName: warn(
    'help, data-overview',
    () => 'MoEngage reserves this name; the attribute is lost',
  ),
  unsupportedName: warn(
    'help, object data type',
    () => 'contains one of $ . % #, which MoEngage does not support in names; it may be dropped',
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
  longName: warn('help', () => `longer than ${limits.NAME_CHARACTERS} characters`),

  // Values
  arrayField: refuse(
    'ArrayFieldError',
    'openapi 400 ArrayFieldError',
    (d) => `Cannot add and remove '${d}' at the same time`,
  ),
  setAndChange: refuse(
    'ArrayFieldError',
    'help, UserAttributes',
    (d) => `Cannot set '${d}' and add or remove its values at the same time`,
  ),
  arrayOfReserved: refuse(
    'ArrayFieldError',
    'help, UserAttributes',
    (d) => `Cannot add to or remove from the reserved attribute '${d}'`,
  ),
  arrayOfStandard: warn(
    'help, UserAttributes',
    () => 'is a standard non-array attribute; values cannot be added or removed',
  ),
  noOperator: warn(
    'openapi, UserAttributes',
    () =>
      'changes no array: only users have addValueToArrayField and removeValueFromArrayField, in this spelling',
  ),
  emptyUnset: warn('help, unset-user-attributes', () => 'does not name an attribute to clear'),
  unsetId: refuse(ATTRIBUTE, 'help, unset-user-attributes', () => 'customer_id cannot be cleared'),
  setAndUnset: warn(
    'help, unset-user-attributes',
    (d) => `clears ${d}, which the same element sets: MoEngage clears it`,
  ),
  unsetAlsoId: warn(
    'help, unset-user-attributes',
    () => 'also covers customer_id, which MoEngage does not clear',
  ),
  standardObject: refuse(
    TYPE,
    'help, object data type',
    () => 'a standard attribute cannot be an object',
  ),
  standardObjects: warn(
    'help, object data type',
    () => 'a standard attribute cannot be an object; MoEngage may drop this array of objects',
  ),
  largeObject: refuse(
    ATTRIBUTE,
    'help, object data type',
    () => `an object can have at most ${limits.OBJECT_BYTES} bytes`,
  ),
  nearlyLargeObject: warn(
    'help, object data type',
    () => 'MoEngage limits an object to 25 KB, possibly 25,000 bytes',
  ),
  manyKeys: refuse(
    ATTRIBUTE,
    'help, object data type',
    () => `an object can have at most ${limits.OBJECT_KEYS} keys`,
  ),
  deepObject: warn(
    'help, object data type',
    () => `MoEngage keeps ${limits.OBJECT_LEVELS} levels of objects; this one becomes text`,
  ),
  emptyObject: warn('help, object data type', () => 'MoEngage does not accept an empty object'),
  mixedArray: warn(
    'help, data-tracking-policies',
    () => 'MoEngage accepts only arrays of numbers, of strings or of objects; this one is dropped',
  ),
  nullValue: warn(
    'help, unset-user-attributes',
    () => 'MoEngage ignores null and clears nothing. Use unset_attributes on a customer',
  ),
  emptyValue: warn(
    'help, unset-user-attributes',
    () => 'an empty string clears nothing in MoEngage. Use unset_attributes on a customer',
  ),
  emailSpelling: warn('openapi, u_em', () => 'may not be a valid email address'),
  dateSpelling: warn(
    'help, data-overview',
    () => 'not YYYY-MM-DD or YYYY-MM-DDTHH:mm:ssZ: MoEngage stores it as text',
  ),
  longUrl: warn(
    'help, data-tracking-policies',
    () => `MoEngage drops a URL over ${limits.VALUE_CHARACTERS_KEPT} characters`,
  ),
  longValue: warn(
    'help',
    () => `MoEngage keeps ${limits.VALUE_CHARACTERS_KEPT} characters; the rest is cut off`,
  ),
  longArray: warn(
    'help, data-tracking-policies; object data type',
    (d) => `MoEngage keeps ${d} entries of such an array`,
  ),
  manyAttributes: warn(
    'help',
    () => `MoEngage keeps the first ${limits.ATTRIBUTES_PER_EVENT} attributes of an event`,
  ),
  platformSpelling: warn('openapi, platform', (d) => `not a documented platform (${d})`),
  platformOfTv: warn('openapi, moe_os_type', () => 'moe_os_type is for the platform TV only'),

  // Names, as the census of the workspace knows them
  namesBeyond: warn(
    'help, data-tracking-policies',
    (d) => `${d}: MoEngage silently blocks new ones`,
  ),
  objectsBeyond: warn(
    'help, object data type',
    (d) => `the workspace has more than ${d} of type object; MoEngage accepts no more`,
  ),
  nameLookalike: warn(
    'own choice',
    (d) => `differs by one letter from the earlier name "${d}"; a typo?`,
  ),
  nameType: warn(
    'help, data-tracking-policies',
    (d) => `${d}: MoEngage may drop a value of another type`,
  ),

  heldCustomer: warn(
    'help, fair usage policy; contract',
    () =>
      'waits: this customer has as much as MoEngage accepts of one customer before it blocks it; a shared or test id?',
  ),

  // Time
  notATime: refuse(
    TYPE,
    'openapi, current_time and user_time',
    () => 'expected ISO 8601 or epoch seconds or milliseconds',
  ),
  futureTime: refuse(
    ATTRIBUTE,
    'contract; "future events are not accepted"',
    () => 'is more than 5 minutes in the future',
  ),
  oldTime: warn('own choice', () => 'is more than a year in the past; check the unit'),
  offsetUnit: warn(
    'openapi, user_timezone_offset',
    () => 'not an offset of any time zone in seconds; check the unit (minutes or hours?)',
  ),
  timezoneOffset: refuse(
    ATTRIBUTE,
    'openapi, user_timezone_offset',
    () =>
      `must be between -${limits.TIMEZONE_OFFSET_SECONDS} and ${limits.TIMEZONE_OFFSET_SECONDS} seconds`,
  ),
} as const satisfies Record<string, Rule>

export type RuleName = keyof typeof RULES
