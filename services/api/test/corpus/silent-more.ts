import { acting, action, attributes, device, event, user, type ElementCase } from './case.js'

/**
 * More of the kinds of silent-users and silent-events: bounds from both sides, several faults at once, and
 * what odd clients write. Sources: the vendor's help pages as of 2026-11.
 */

const ADD = 'addValueToArrayField'
const REMOVE = 'removeValueFromArrayField'
const at = (name: string) => [`attributes.${name}`]
const inAction = (name: string) => [`actions[0].attributes.${name}`]
const saying = (named: object) => acting({ attributes: named })
const anonymous = (named: object, change: object = {}) =>
  JSON.stringify({ type: 'customer', attributes: named, ...change })
const unnamed = (identifiers: unknown, change: object = {}) =>
  event({ customer_id: undefined, user_identifiers: identifiers, ...change })
const unset = (...entries: unknown[]) => user({ unset_attributes: entries })
const texts = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`)
const members = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
const urlOf = (characters: number) => 'https://shop.example/'.padEnd(characters, 'x')

const IDS: readonly ElementCase[] = [
  ...['Null', 'NULL', 'Undefined', 'UNDEFINED', 'nan', 'NAN', 'nil', 'Nil', '[Object Object]', 'undefined '].map((id) => ({ name: `id ${JSON.stringify(id)} may be somebody`, json: user({ customer_id: id }), ...(['undefined ', 'null'].includes(id.toLowerCase()) ? { warned: ['customer_id'] } : {}) })),
  ...['\u0000ann', 'a\u001fb', '\u0085ann', 'ann\u009f'].map((id) => ({ name: `id with ${JSON.stringify(id)}`, json: user({ customer_id: id }), refused: ['customer_id'] })),
  ...['a\u00adb', 'a\u200bb', 'a\u00a0b', '\ufeffann'].map((id) => ({ name: `id with the invisible ${JSON.stringify(id)}`, json: user({ customer_id: id }), ...(id === 'a\u00a0b' ? {} : { warned: ['customer_id'] }) })),
  ...[5, true, ['ann'], { id: 'ann' }].map((id) => ({ name: `id ${JSON.stringify(id)} is no text`, json: user({ customer_id: id }), refused: ['customer_id'], type: 'TypeError' })),
  { name: 'event of id NaN', json: event({ customer_id: 'NaN' }), refused: ['customer_id'] },
  { name: 'event of id [object Object]', json: event({ customer_id: '[object Object]' }), refused: ['customer_id'] },
  { name: 'event of an id with a line break', json: event({ customer_id: 'ann\n' }), refused: ['customer_id'] },
  { name: 'device of id NaN', json: device({ customer_id: 'NaN' }), refused: ['customer_id'] },
  { name: 'device of an id with a tab', json: device({ customer_id: 'a\tb' }), refused: ['customer_id'] },
  { name: 'event of a blocked id beside identifiers', json: event({ customer_id: 'guest', user_identifiers: { u_mb: '1' } }), refused: ['customer_id'] },
] // prettier-ignore

const IDENTIFIERS: readonly ElementCase[] = [
  ...['u_em', 'email', 'u_mb', 'mobile', 'mobile_number', 'phone', 'phone_number', 'moe_mobile', 'uid'].map((name) => ({ name: `named by ${name} alone`, json: anonymous({ [name]: name.includes('em') ? 'a@b.example' : '4915' }) })),
  { name: 'named by a number', json: anonymous({ mobile: 4915 }) },
  { name: 'identifier zero is a value', json: anonymous({ phone: 0 }) },
  { name: 'identifier a list', json: anonymous({ phone: ['1'] }), refused: at('phone') },
  { name: 'identifier an object', json: anonymous({ phone: { home: '1' } }), refused: at('phone') },
  { name: 'three identifiers, two blank', json: anonymous({ phone: '1', email: '', mobile: ' ' }), warned: ['attributes.email', 'attributes.email', 'attributes.mobile'] },
  { name: 'event named by a number', json: unnamed({ mobile: 4915 }) },
  { name: 'event named by a list', json: unnamed({ mobile: ['1'] }), refused: ['user_identifiers.mobile'] },
  { name: 'event with identifiers a list', json: unnamed(['u_mb']), refused: ['user_identifiers'] },
  { name: 'event with identifiers a text', json: unnamed('4915'), refused: ['user_identifiers'] },
  { name: 'event with no identifier in them', json: unnamed({}), refused: ['user_identifiers'] },
  { name: 'event of an id with identifiers that are placeholders', json: event({ user_identifiers: { u_em: 'NaN' } }), warned: ['user_identifiers.u_em'] },
] // prettier-ignore

const BOUNDS: readonly ElementCase[] = [
  { name: 'a text of 512 characters', json: attributes({ note: 'x'.repeat(512) }) },
  { name: 'a text of 513 characters', json: attributes({ note: 'x'.repeat(513) }), warned: at('note') },
  { name: 'a text of 512 characters beyond the BMP', json: attributes({ note: '😀'.repeat(512) }) },
  { name: 'a URL of 512 characters', json: attributes({ page: urlOf(512) }) },
  { name: 'a URL of 513 characters', json: attributes({ page: urlOf(513) }), warned: at('page') },
  { name: 'a long URL inside an object', json: attributes({ a: { page: urlOf(600) } }), warned: at('a.page') },
  { name: 'a long URL in a list', json: attributes({ pages: ['x', urlOf(600)] }), warned: at('pages[1]') },
  { name: 'a name of 200 characters', json: attributes({ ['n'.repeat(200)]: 1 }) },
  { name: 'a name of 201 characters', json: attributes({ ['n'.repeat(201)]: 1 }), warned: at('n'.repeat(201)) },
  { name: 'a list of 50 texts', json: attributes({ a: texts(50) }) },
  { name: 'a list of 51 numbers', json: attributes({ a: Array.from({ length: 51 }, (_, i) => i) }), warned: at('a') },
  { name: 'an event of 100 attributes', json: saying(members(100)) },
  { name: 'an event of 101 attributes', json: saying(members(101)), warned: ['actions[0].attributes'] },
  { name: 'a user of 101 attributes', json: attributes(members(101)) },
  { name: 'an object of 100 keys of an event', json: saying({ cart: members(100) }) },
  { name: 'an event name of 200 characters', json: acting({ action: 'n'.repeat(200) }) },
  { name: 'an event name of 201 characters', json: acting({ action: 'n'.repeat(201) }), warned: ['actions[0].action'] },
  { name: 'an id of two characters', json: user({ customer_id: 'ab' }) },
  { name: 'an id of one emoji', json: user({ customer_id: '😀' }), refused: ['customer_id'] },
] // prettier-ignore

const VALUES: readonly ElementCase[] = [
  { name: 'a list of decimals and integers', json: attributes({ a: [1, 1.5] }) },
  { name: 'a list with an empty text', json: attributes({ a: ['', 'x'] }) },
  { name: 'a list of a text and a boolean', json: attributes({ a: ['x', true] }), warned: at('a') },
  { name: 'a list of a number and a list', json: attributes({ a: [1, [2]] }), warned: at('a') },
  { name: 'an empty list inside a list', json: attributes({ a: [[]] }), warned: at('a') },
  { name: 'an empty object in a list', json: attributes({ a: [{}] }), warned: at('a[0]') },
  { name: 'a null in an object of a list', json: attributes({ a: [{ b: null }] }), warned: at('a[0].b') },
  { name: 'a key with a dot in a list', json: attributes({ a: [{ 'b.c': 1 }] }), warned: at('a[0].b.c') },
  { name: 'a list of booleans on the second level', json: attributes({ a: { b: { c: [true] } } }), warned: at('a.b.c') },
  { name: 'nulls of two attributes', json: attributes({ a: null, b: null }), warned: ['attributes.a', 'attributes.b'] },
  { name: 'a blank text is a value', json: attributes({ city: ' ' }) },
  { name: 'zero and false are values', json: attributes({ visits: 0, active: false }) },
  { name: 'an empty text in an object of an event', json: saying({ cart: { coupon: '' } }) },
  { name: 'an empty object of an event, deep', json: saying({ cart: { items: {} } }), warned: inAction('cart.items') },
  { name: 'a list of lists of an event', json: saying({ grid: [[1], [2]] }), warned: inAction('grid') },
  { name: 'a number that no double holds keeps its digits', json: '{"type":"customer","customer_id":"ann","attributes":{"big":12345678901234567890,"price":1.10}}' },
  { name: 'an exponent keeps its spelling', json: '{"type":"customer","customer_id":"ann","attributes":{"a":1E3,"b":-0.0}}' },
  { name: 'an escaped name is the same name', json: '{"type":"customer","customer_id":"ann","attributes":{"c\\u0069ty":""}}', warned: at('city') },
  { name: 'blanks between tokens go, those in texts stay', json: '{ "type" : "customer", "customer_id":"ann","attributes":{ "a" : " b " } }', sent: ['{"type":"customer","customer_id":"ann","attributes":{"a":" b "}}'] },
  { name: 'a name that occurs twice: the last one leaves', json: '{"type":"customer","customer_id":"ann","attributes":{"a":1,"b":2,"a":3}}', sent: ['{"type":"customer","customer_id":"ann","attributes":{"b":2,"a":3}}'], warned: ['attributes.a'] },
] // prettier-ignore

const CLEARING: readonly ElementCase[] = [
  { name: 'unset two attributes', json: unset({ type: 'equals', attr: 'a' }, { type: 'equals', attr: 'b' }) },
  { name: 'unset by a prefix of what is set', json: user({ attributes: { tmp_a: 1 }, unset_attributes: [{ type: 'prefix', attr: 'tmp_' }] }), warned: ['unset_attributes[0].attr'] },
  { name: 'unset a standard attribute', json: unset({ type: 'equals', attr: 'u_fn' }) },
  { name: 'unset with case_sensitive null', json: unset({ type: 'equals', attr: 'a', case_sensitive: null }), refused: ['unset_attributes[0].case_sensitive'] },
  { name: 'unset with type a number', json: unset({ type: 1, attr: 'a' }), refused: ['unset_attributes[0].type'] },
  { name: 'unset of nothing but an empty entry', json: unset({}), refused: ['unset_attributes[0].type', 'unset_attributes[0].attr'] },
  { name: 'unset a number instead of the list', json: user({ unset_attributes: 1 }), refused: ['unset_attributes'] },
  { name: 'unset a list in the list', json: unset([{ type: 'equals', attr: 'a' }]), refused: ['unset_attributes[0]'] },
  { name: 'add a text instead of a list', json: attributes({ [ADD]: { tags: 'vip' } }), refused: at(`${ADD}.tags`) },
  { name: 'an operator that is null', json: attributes({ a: 1, [ADD]: null }), sent: [attributes({ a: 1 })], warned: at(ADD) },
  { name: 'nulls within an attribute stay', json: attributes({ actions: { platform: null } }), warned: at('actions.platform') },
  { name: 'add null', json: attributes({ [ADD]: { tags: null } }), refused: at(`${ADD}.tags`), type: 'TypeError' },
  { name: 'add a list instead of an object', json: attributes({ [ADD]: ['tags'] }), refused: at(ADD) },
  { name: 'remove a reserved name', json: attributes({ [REMOVE]: { moe_x: ['a'] } }), refused: at(`${REMOVE}.moe_x`) },
  { name: 'add and remove of different attributes', json: attributes({ [ADD]: { a: ['x'] }, [REMOVE]: { b: ['x'] } }) },
  { name: 'add nothing to a list', json: attributes({ [ADD]: { tags: [] } }) },
  ...['addValueToArrayfield', 'AddValueToArrayField', 'add_value_to_array_field', 'removeValuesFromArrayField'].flatMap((name) => [
    { name: `an operator spelt ${name}`, json: attributes({ [name]: { tags: ['a'] } }), warned: at(name) },
    { name: `a list as ${name}`, json: attributes({ [name]: ['tags'] }), warned: at(name) },
  ]),
  { name: 'an operator as a name with a text', json: attributes({ add_value_to_array_field: 'tags' }) },
  { name: 'a name close to an operator', json: attributes({ addValueToArrayFieldOfMine: ['a'] }) },
  { name: 'add in an event', json: saying({ [ADD]: { tags: ['a'] } }), warned: inAction(ADD) },
  { name: 'remove in an event', json: saying({ [REMOVE]: ['a'] }), warned: inAction(REMOVE) },
  { name: 'a misspelt operator in an event', json: saying({ addValueToArrayFields: { tags: ['a'] } }), warned: inAction('addValueToArrayFields') },
  { name: 'a list of objects as mobile web', json: attributes({ moe_mweb: [{ a: 1 }] }), warned: at('moe_mweb') },
  { name: 'a list of objects as the mobile number of an event', json: saying({ moe_mobile: [{ a: 1 }] }), warned: inAction('moe_mobile') },
] // prettier-ignore

const PLACES: readonly ElementCase[] = [
  ...['attrs', 'userAttributes', 'event_attributes', 'data', 'payload'].map((name) => ({ name: `${name} of a user is dropped`, json: user({ [name]: { a: 1 } }), warned: [name] })),
  ...['eventName', 'event', 'value', 'currency', 'properties '].map((name) => ({ name: `${name} of an action is dropped`, json: acting({ [name]: 'x' }), warned: [`actions[0].${name}`] })),
  ...['push_token', 'manufacturer', 'os', 'language'].map((name) => ({ name: `device: ${name} is dropped`, json: device({}, { [name]: 'x' }), warned: at(name) })),
  { name: 'device: all documented attributes', json: device({}, { model: 'M', moe_push_opted: 'True', app_version: '1', os_version: '2', moe_gaid: 'g', idfv: 'i' }) },
  { name: 'device: a reserved name', json: device({}, { moe_new: 'x' }), warned: at('moe_new') },
  { name: 'device: opted as a boolean', json: device({}, { moe_push_opted: true }), refused: at('moe_push_opted') },
  { name: 'device: an empty push id', json: device({}, { push_id: '' }), refused: at('push_id') },
  { name: 'device: platform of a sample', json: device({}, { platform: 'Android' }), warned: at('platform') },
  { name: 'an action without a name', json: event({ actions: [{ attributes: {} }] }), refused: ['actions[0].action'] },
  { name: 'an event name of tabs', json: acting({ action: '\t' }), refused: ['actions[0].action'] },
  { name: 'the second of three actions is bad', json: event({ actions: [action(), action({ action: '' }), action()] }), refused: ['actions[1].action'] },
  { name: 'an offset as text', json: acting({ user_timezone_offset: '19800' }), refused: ['actions[0].user_timezone_offset'] },
  { name: 'an offset in hours', json: acting({ user_timezone_offset: 5 }), warned: ['actions[0].user_timezone_offset'] },
  { name: 'an offset beyond the last zone', json: acting({ user_timezone_offset: 54_900 }), refused: ['actions[0].user_timezone_offset'] },
  { name: 'a system beside another platform', json: acting({ platform: 'web', moe_os_type: 'ROKU' }), warned: ['actions[0].moe_os_type'] },
  { name: 'a system beside TV', json: acting({ platform: 'TV', moe_os_type: 'ROKU' }) },
  { name: 'type EVENT', json: event({ type: 'EVENT' }), refused: ['type'] },
  { name: 'type user', json: user({ type: 'user' }), refused: ['type'] },
  { name: 'type null', json: user({ type: null }), refused: ['type'] },
  { name: 'type a list', json: user({ type: ['customer'] }), refused: ['type'] },
] // prettier-ignore

const NAMES: readonly ElementCase[] = [
  ...['USER_ATTRIBUTE_USER_NAME', 'USER_ATTRIBUTE_X'].map((name) => ({ name: `the reserved name ${name} of a user`, json: attributes({ [name]: 'x' }), warned: at(name) })),
  ...['Status', 'STATUS', 'install', 'userId', 'User_Attribute_x'].map((name) => ({ name: `${name} is not reserved`, json: attributes({ [name]: 'x' }) })),
  ...['moe_x', 'moe_'].map((name) => ({ name: `an event named ${name}`, json: acting({ action: name }), refused: ['actions[0].action'] })),
  { name: 'an event named Moe_x', json: acting({ action: 'Moe_x' }) },
  { name: 'an event attribute of a reserved name', json: saying({ moe_campaign: 'x' }), refused: inAction('moe_campaign') },
  { name: 'an event attribute without a name', json: saying({ '': 1 }), warned: inAction('') },
  { name: 'a user attribute without a name', json: attributes({ '': 1 }), refused: at('') },
  { name: 'a key without a name', json: attributes({ a: { '': 1 } }) },
  { name: 'names with several signs are named once', json: attributes({ 'a$b.c%': 1 }), warned: at('a$b.c%') },
] // prettier-ignore

export const MORE_SILENT_CASES: readonly ElementCase[] = [
  ...[...IDS, ...IDENTIFIERS, ...BOUNDS, ...VALUES],
  ...[...CLEARING, ...PLACES, ...NAMES],
]
