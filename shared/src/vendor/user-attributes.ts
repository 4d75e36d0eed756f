/** User attributes that are more than a value at MoEngage. Source: openapi, read 2026-11. */

/** Members of `attributes` that change a list instead of setting an attribute. */
export const ADD_TO_ARRAY = 'addValueToArrayField'
export const REMOVE_FROM_ARRAY = 'removeValueFromArrayField'

/**
 * User attributes that can identify a user without a `customer_id` (identity resolution). The
 * identifiers are set per workspace at MoEngage and cannot be queried; these are its standard ones and
 * the usual spellings.
 */
export const IDENTIFIER_ATTRIBUTES: readonly string[] = [
  'advertising_identifier',
  'email',
  'mobile',
  'mobile_number',
  'moe_gaid',
  'moe_mobile',
  'phone',
  'phone_number',
  'u_em',
  'u_mb',
  'uid',
]

/** "Can only be created through the Track User API and cannot be updated later." */
export const CREATE_ONLY_ATTRIBUTES: readonly string[] = [
  'advertising_identifier',
  'campaign_name',
  'cr_t',
  'moe_gaid',
  'publisher_name',
  'u_l_a',
]

/** Where a user's platforms stand in the vendor's samples: a list of states, set as a whole. */
export const PLATFORMS_ATTRIBUTE = 'platforms'

const STANDARD_PREFIXES = ['moe_', 'u_']
const STANDARD_NAMES = new Set([
  ...IDENTIFIER_ATTRIBUTES,
  ...CREATE_ONLY_ATTRIBUTES,
  'geo',
  PLATFORMS_ATTRIBUTE,
  'push_preference',
])

/** Whether the attribute has a special meaning at MoEngage: formats, consent, reachability. */
export function isStandardAttribute(name: string): boolean {
  return STANDARD_NAMES.has(name) || STANDARD_PREFIXES.some((prefix) => name.startsWith(prefix))
}
