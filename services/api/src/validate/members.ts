import { ADD_TO_ARRAY, REMOVE_FROM_ARRAY } from '@relay/shared/vendor/user-attributes.js'
import type { ElementType } from './names.js'
import { isObject, type Json, type Reporter } from './findings.js'

/** Members that an element of a type has. openapi; `unset_attributes`: help, early access. */
const ELEMENT_MEMBERS: Readonly<Record<ElementType, ReadonlySet<string>>> = {
  customer: new Set([
    'type',
    'customer_id',
    'attributes',
    'platforms',
    'update_existing_only',
    'unset_attributes',
  ]),
  event: new Set(['type', 'customer_id', 'device_id', 'user_identifiers', 'actions']),
  device: new Set(['type', 'customer_id', 'device_id', 'attributes']),
}

/** Members that an action has. openapi, EventAction. */
const ACTION_MEMBERS: ReadonlySet<string> = new Set([
  'action',
  'attributes',
  'platform',
  'app_version',
  'user_time',
  'current_time',
  'user_timezone_offset',
  'moe_os_type',
])

/** Members of any type: a text with others is parsed in full. */
export const KNOWN_ELEMENT_MEMBERS: readonly string[] = [
  ...new Set(Object.values(ELEMENT_MEMBERS).flatMap((members) => [...members])),
]
export const KNOWN_ACTION_MEMBERS: readonly string[] = [...ACTION_MEMBERS]

/** Common misspellings and other vendors' spellings, without case and separators. Own choice. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  attributes: ['attribute', 'attrs', 'attr', 'props', 'properties', 'traits', 'userattributes', 'eventattributes', 'params'],
  actions: ['action', 'event', 'events'],
  action: ['event', 'eventname', 'name'],
  customer_id: ['customerid', 'customer', 'userid', 'user', 'uid', 'id'],
  device_id: ['deviceid', 'device'],
  user_identifiers: ['useridentifier', 'identifiers', 'identifier'],
  current_time: ['time', 'timestamp', 'eventtime', 'currenttime', 'date'],
  user_time: ['usertime', 'localtime'],
  user_timezone_offset: ['usertimezoneoffset', 'timezoneoffset', 'timezone', 'offset'],
  platform: ['platforms', 'os'],
  platforms: ['platform'],
  update_existing_only: ['updateexistingonly', 'updateexisting'],
  unset_attributes: ['unset', 'unsetattributes', 'removeattributes'],
} // prettier-ignore

/** Warns about members that MoEngage silently drops. */
export function lintElementMembers(element: Json, type: ElementType, reporter: Reporter): void {
  const members = ELEMENT_MEMBERS[type]
  for (const name in element) {
    if (!members.has(name)) warn(name, '', members, reporter)
    else if (element[name] === null && !REQUIRED[type].includes(name)) {
      reporter.findings.add('nullMember', reporter.index, name)
    }
  }
}

export function lintActionMembers(action: Json, path: string, reporter: Reporter): void {
  for (const name in action) {
    if (!ACTION_MEMBERS.has(name)) warn(name, `${path}.`, ACTION_MEMBERS, reporter)
    else if (action[name] === null && name !== 'action') {
      reporter.findings.add('nullMember', reporter.index, `${path}.${name}`)
    }
  }
}

const OPERATORS = [ADD_TO_ARRAY, REMOVE_FROM_ARRAY]

/**
 * Whether null at this path counts as absent and is not sent: members of an element and of its
 * actions, and the array operators. Null as an attribute's value is sent as it is. Own choice:
 * MoEngage's schema types each of them without null.
 */
export function countsAsAbsent([first, second, ...rest]: readonly string[]): boolean {
  if (second === undefined) return true
  if (rest.length > 0) return false
  return first === 'actions' || (first === 'attributes' && OPERATORS.includes(second))
}

/** Whether a valid element has a null that counts as absent. */
export function hasNullMember(element: Json, { isPlain }: Reporter): boolean {
  if (hasNull(element)) return true
  // A sparsely read action has no null, and sparsely read attributes no operator.
  if (isPlain) return false
  const { actions, attributes } = element
  if (Array.isArray(actions) && actions.some(hasNull)) return true
  return isObject(attributes) && OPERATORS.some((name) => attributes[name] === null)
}

function hasNull(value: unknown): boolean {
  if (!isObject(value)) return false
  for (const name in value) if (value[name] === null) return true
  return false
}

/** Required members, whose checks refuse null. */
const REQUIRED: Readonly<Record<ElementType, readonly string[]>> = {
  customer: ['type', 'customer_id'],
  event: ['type', 'customer_id', 'actions'],
  device: ['type', 'customer_id', 'device_id', 'attributes'],
}

function warn(
  name: string,
  prefix: string,
  members: ReadonlySet<string>,
  { index, findings }: Reporter,
): void {
  const bare = name.toLowerCase().replaceAll(/[\s_-]/g, '')
  const meant = [...members].find((member) => {
    return bare === member.replaceAll('_', '') || MEANT[member]?.includes(bare)
  })
  findings.add('unknownMember', index, prefix + name, meant)
}
