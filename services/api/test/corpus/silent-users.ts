import { attributes, user, type ElementCase } from './case.js'

/**
 * What MoEngage takes and relay once refused, what it refuses, and what it drops in silence after a
 * success, of users. Sources: the vendor's help pages as of 2026-11.
 */

const anonymous = (named: object, change: object = {}) =>
  JSON.stringify({ type: 'customer', attributes: named, ...change })
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
/** An object of so many bytes of JSON, in members that are short enough. */
const objectOf = (bytes: number) => {
  const object: Record<string, string> = {}
  while (JSON.stringify(object).length < bytes - 510) object[`k${Object.keys(object).length}`] = 'x'.repeat(480) // prettier-ignore
  object.z = ''
  object.z = 'x'.repeat(bytes - JSON.stringify(object).length)
  return object
}
const ADD = 'addValueToArrayField'
const REMOVE = 'removeValueFromArrayField'
const unset = (...entries: unknown[]) => user({ unset_attributes: entries })
const at = (name: string) => [`attributes.${name}`]

const TAKEN: readonly ElementCase[] = [
  { name: 'consent to open tracking', json: attributes({ moe_email_open_tracking_consent: true }) },
  { name: 'consent to open tracking as text', json: attributes({ moe_email_open_tracking_consent: 'OPTED_IN' }) },
  { name: 'reachability on mobile web', json: attributes({ moe_mweb: true }) },
  ...['moe_gaid', 'moe_em_unsub_categories'].map((name) => ({ name: `${name} as text`, json: attributes({ [name]: 'x' }) })),
  ...['moe_sub_w', 'moe_wa_subscription', 'moe_spam', 'moe_hard_bounce'].map((name) => ({ name: `${name} false`, json: attributes({ [name]: false }) })),
  { name: 'birthday as a day', json: attributes({ u_bd: '1990-04-12' }) },
  { name: 'birthday in a far future', json: attributes({ u_bd: '2999-01-01T00:00:00Z' }) },
  { name: 'birthday with a zone', json: attributes({ u_bd: '1990-04-12T00:00:00+05:30' }) },
  { name: 'a day of another attribute in the future', json: attributes({ renews: '2030-01-01' }) },
  { name: 'address with letters beyond ASCII', json: attributes({ u_em: 'jörg@müller.example' }), warned: at('u_em') },
  { name: 'address in another script', json: attributes({ u_em: '用户@例子.example' }), warned: at('u_em') },
  { name: 'address with a trailing blank', json: attributes({ u_em: 'ann@shop.example ' }), warned: at('u_em') },
  { name: 'address with a leading blank', json: attributes({ u_em: ' ann@shop.example' }), warned: at('u_em') },
  { name: 'address of a bare host', json: attributes({ u_em: 'ann@localhost' }), warned: at('u_em') },
  { name: 'address with a plus', json: attributes({ u_em: 'a+b@c.example' }) },
  { name: 'address in capitals', json: attributes({ u_em: 'ANN@SHOP.EXAMPLE' }) },
  { name: 'mobile good and address blank', json: anonymous({ u_mb: '918888444411', u_em: '' }), warned: ['attributes.u_em', 'attributes.u_em'] },
  { name: 'mobile good and address null', json: anonymous({ u_mb: '918888444411', u_em: null }), warned: ['attributes.u_em', 'attributes.u_em'] },
  { name: 'mobile good and address of blanks', json: anonymous({ u_mb: '918888444411', u_em: '  ' }), warned: ['attributes.u_em', 'attributes.u_em'] },
  { name: 'address good and mobile blank', json: anonymous({ u_em: 'a@b.example', u_mb: '' }), warned: ['attributes.u_mb', 'attributes.u_mb'] },
  { name: 'address good and another identifier a boolean', json: anonymous({ u_em: 'a@b.example', phone: false }), warned: ['attributes.phone'] },
  { name: 'platforms null', json: user({ platforms: null }), sent: [user()], warned: ['platforms'] },
  { name: 'update_existing_only null, all else there', json: user({ attributes: { a: 1 }, update_existing_only: null }), sent: [user({ attributes: { a: 1 } })], warned: ['update_existing_only'] },
  { name: 'unset_attributes null', json: user({ unset_attributes: null }), sent: [user()], warned: ['unset_attributes'] },
  { name: 'customer_id null beside identifiers', json: anonymous({ u_mb: '1' }, { customer_id: null }), sent: [anonymous({ u_mb: '1' })], warned: ['customer_id'] },
  { name: 'unset an attribute', json: unset({ type: 'equals', attr: 'city' }) },
  { name: 'unset in every way', json: unset({ type: 'prefix', attr: 'tmp_' }, { type: 'suffix', attr: '_old' }, { type: 'contains', attr: 'x', case_sensitive: false }, { type: 'equals', attr: 'a', case_sensitive: true }) },
  { name: 'unset by another case than what is set', json: user({ attributes: { city: 1 }, unset_attributes: [{ type: 'prefix', attr: 'CI' }, { type: 'equals', attr: 'City' }] }) },
  { name: 'id with joiners inside', json: user({ customer_id: 'می\u200cروم 👨\u200d👩\u200d👧' }) },
  { name: 'unset beside attributes', json: user({ attributes: { a: 1 }, unset_attributes: [{ type: 'equals', attr: 'b' }] }) },
  { name: 'list of numbers', json: attributes({ a: [1, 2.5, -3] }) },
  { name: 'list of texts', json: attributes({ a: ['x', 'y'] }) },
  { name: 'list of objects', json: attributes({ a: [{ b: 1 }, { b: 2, c: { d: 3 } }] }) },
  { name: 'empty list', json: attributes({ a: [] }) },
  { name: 'two levels of objects', json: attributes({ a: { b: { c: 1 } } }) },
  { name: 'a list of objects on the second level', json: attributes({ a: { b: [{ c: 1 }] } }) },
  { name: 'an empty text inside an object', json: attributes({ a: { b: '' } }) },
  { name: '100 keys', json: attributes({ a: keys(100) }) },
  { name: '100 objects in a list', json: attributes({ a: Array.from({ length: 100 }, (_, i) => ({ i })) }) },
  { name: 'an object of 25,000 bytes', json: attributes({ a: objectOf(25_000) }) },
  { name: 'two objects of 20,000 bytes', json: attributes({ a: objectOf(20_000), b: objectOf(20_000) }) },
  { name: 'add to a list of the workspace', json: attributes({ [ADD]: { tags: ['vip'] } }) },
  { name: 'remove from a list of the workspace', json: attributes({ [REMOVE]: { tags: ['vip'] }, other: 1 }) },
  ...['undefined1', 'nullable', 'NaNa', 'object', 'None of it', 'nan'].map((id) => ({ name: `id ${id} is somebody`, json: user({ customer_id: id }) })),
  { name: 'id beyond ASCII', json: user({ customer_id: 'Zoë-日本' }) },
  { name: 'id with a blank inside', json: user({ customer_id: 'ann b' }) },
] // prettier-ignore

const REFUSED: readonly ElementCase[] = [
  ...['undefined', 'NaN', '[object Object]'].map((id) => ({ name: `id ${id}`, json: user({ customer_id: id }), refused: ['customer_id'], type: 'AttributeError' })),
  ...['a\tb', 'a\nb', 'ann\r', '\u0001ann', 'an\u007fn', 'an\u0085n'].map((id) => ({ name: `id with a control character ${JSON.stringify(id)}`, json: user({ customer_id: id }), refused: ['customer_id'] })),
  { name: 'set and add of one attribute', json: attributes({ tags: ['a'], [ADD]: { tags: ['b'] } }), refused: at(`${ADD}.tags`), type: 'ArrayFieldError' },
  { name: 'set and remove of one attribute', json: attributes({ tags: ['a'], [REMOVE]: { tags: ['b'] } }), refused: at(`${REMOVE}.tags`), type: 'ArrayFieldError' },
  { name: 'set, add and remove of one attribute', json: attributes({ tags: [], [ADD]: { tags: ['b'] }, [REMOVE]: { tags: ['b'] } }), refused: [...at(`${ADD}.tags`), ...at(`${REMOVE}.tags`), ...at(`${ADD}.tags`)] },
  { name: 'add to platforms', json: attributes({ [ADD]: { platforms: [{ platform: 'iOS' }] } }), refused: at(`${ADD}.platforms`) },
  { name: 'remove from platforms', json: attributes({ [REMOVE]: { platforms: ['iOS'] } }), refused: at(`${REMOVE}.platforms`) },
  { name: 'unset_attributes an object', json: user({ unset_attributes: { type: 'equals', attr: 'a' } }), refused: ['unset_attributes'] },
  { name: 'unset_attributes a text', json: user({ unset_attributes: 'city' }), refused: ['unset_attributes'] },
  { name: 'unset by names alone', json: unset('city'), refused: ['unset_attributes[0]'] },
  { name: 'unset without type', json: unset({ attr: 'a' }), refused: ['unset_attributes[0].type'], type: 'MissingAttributeError' },
  { name: 'unset without attr', json: unset({ type: 'equals' }), refused: ['unset_attributes[0].attr'], type: 'MissingAttributeError' },
  { name: 'unset by an unknown type', json: unset({ type: 'regex', attr: 'a' }), refused: ['unset_attributes[0].type'] },
  { name: 'unset by a type in capitals', json: unset({ type: 'Equals', attr: 'a' }), refused: ['unset_attributes[0].type'] },
  { name: 'unset a blank name', json: unset({ type: 'equals', attr: ' ' }), refused: ['unset_attributes[0].attr'] },
  { name: 'unset a number', json: unset({ type: 'equals', attr: 5 }), refused: ['unset_attributes[0].attr'] },
  { name: 'unset a list of names', json: unset({ type: 'equals', attr: ['a'] }), refused: ['unset_attributes[0].attr'] },
  { name: 'unset with case_sensitive as text', json: unset({ type: 'equals', attr: 'a', case_sensitive: 'false' }), refused: ['unset_attributes[0].case_sensitive'] },
  { name: 'unset the customer_id', json: unset({ type: 'equals', attr: 'customer_id' }), refused: ['unset_attributes[0].attr'] },
  { name: 'unset the customer_id in any case', json: unset({ type: 'equals', attr: 'CUSTOMER_ID', case_sensitive: false }), refused: ['unset_attributes[0].attr'] },
  { name: 'unset null', json: unset(null), refused: ['unset_attributes[0]'] },
  { name: 'every bad entry of unset is listed', json: unset({ attr: 'a' }, { type: 'equals', attr: 'b' }, 7), refused: ['unset_attributes[0].type', 'unset_attributes[2]'] },
  { name: '101 keys', json: attributes({ a: keys(101) }), refused: at('a') },
  { name: '101 keys on the second level', json: attributes({ a: { b: keys(101) } }), refused: at('a.b') },
  { name: '101 keys in a list', json: attributes({ a: [{ x: 1 }, keys(101)] }), refused: at('a[1]') },
  { name: 'an object of 25,601 bytes', json: attributes({ a: objectOf(25_601) }), refused: at('a') },
  { name: 'an object of 40,000 bytes in a list', json: attributes({ a: [objectOf(40_000)] }), refused: at('a[0]') },
  { name: 'an object as name', json: attributes({ u_n: { first: 'Ann' } }), refused: at('u_n') },
  { name: 'an object as address', json: attributes({ u_em: { home: 'a@b.example' } }), refused: at('u_em') },
  { name: 'an object as consent', json: attributes({ moe_email_open_tracking_consent: { fr: true } }), refused: at('moe_email_open_tracking_consent') },
  { name: 'an object as mobile web', json: attributes({ moe_mweb: { a: 1 } }), refused: at('moe_mweb') },
  { name: 'an unknown moe_ name', json: attributes({ moe_loyalty: 1 }), refused: at('moe_loyalty') },
  { name: 'only blank identifiers: each is named', json: anonymous({ u_mb: '', email: ' ' }), refused: ['attributes.email', 'attributes.u_mb'] },
  { name: 'only a null identifier', json: anonymous({ u_mb: null }), refused: ['attributes.u_mb'] },
  { name: 'customer_id null, no identifier', json: anonymous({ city: 'Pune' }, { customer_id: null }), refused: ['customer_id'], type: 'TypeError' },
  { name: 'customer_id null, a blank identifier', json: anonymous({ u_mb: ' ' }, { customer_id: null }), refused: ['customer_id'] },
  { name: 'a workspace’s own identifier, unknown here', json: anonymous({ loyalty_card: 'LC-55120' }), refused: ['customer_id'], type: 'MissingAttributeError' },
  { name: 'type in capitals, all else right', json: '{"type":"CUSTOMER","customer_id":"ann","attributes":{}}', refused: ['type'] },
  { name: 'type with a trailing blank', json: '{"type":"customer ","customer_id":"ann","attributes":{}}', refused: ['type'] },
  { name: 'an address without @', json: attributes({ u_em: 'ann.shop.example' }), refused: at('u_em') },
  { name: 'an address of two words', json: attributes({ u_em: 'ann b@shop.example' }), refused: at('u_em') },
  { name: 'birthday as a number', json: attributes({ u_bd: 639878400 }), refused: at('u_bd') },
] // prettier-ignore

const url = `https://shop.example/${'x'.repeat(500)}`

const DROPPED: readonly ElementCase[] = [
  ...['props', 'attribute', 'properties', 'traits', 'Attributes', 'user_attributes', 'attributes '].map((name) => ({ name: `${name} instead of attributes`, json: user({ attributes: undefined, [name]: { a: 1 } }), warned: [name] })),
  { name: 'customerId beside customer_id', json: user({ customerId: 'ann' }), warned: ['customerId'] },
  { name: 'actions of a user', json: user({ actions: [] }), warned: ['actions'] },
  { name: 'device_id of a user', json: user({ device_id: 'd' }), warned: ['device_id'] },
  { name: 'user_identifiers of a user', json: user({ user_identifiers: { u_em: 'a@b.example' } }), warned: ['user_identifiers'] },
  { name: 'every unknown member is named', json: user({ a: 1, b: 2 }), warned: ['a', 'b'] },
  { name: 'a list of two kinds', json: attributes({ a: [1, 'x'] }), warned: at('a') },
  { name: 'a list of booleans', json: attributes({ a: [true, false] }), warned: at('a') },
  { name: 'a list with a null', json: attributes({ a: ['x', null] }), warned: at('a') },
  { name: 'a list of nulls', json: attributes({ a: [null] }), warned: at('a') },
  { name: 'a list of lists', json: attributes({ a: [[1], [2]] }), warned: at('a') },
  { name: 'a list of objects and a text', json: attributes({ a: [{ b: 1 }, 'x'] }), warned: at('a') },
  { name: 'a list of two kinds inside an object', json: attributes({ a: { b: [1, 'x'] } }), warned: at('a.b') },
  { name: 'a list of two kinds that is added', json: attributes({ [ADD]: { a: [1, 'x'] } }), warned: at(`${ADD}.a`) },
  { name: 'three levels of objects', json: attributes({ a: { b: { c: { d: 1 } } } }), warned: at('a.b.c') },
  { name: 'three levels through a list', json: attributes({ a: [{ b: { c: { d: 1 } } }] }), warned: at('a[0].b.c') },
  { name: 'an empty object', json: attributes({ a: {} }), warned: at('a') },
  { name: 'an empty object inside an object', json: attributes({ a: { b: {} } }), warned: at('a.b') },
  { name: 'a null inside an object', json: attributes({ a: { b: null } }), warned: at('a.b') },
  ...['$', '.', '%', '#'].flatMap((sign) => [
    { name: `a name with ${sign}`, json: attributes({ [`a${sign}b`]: 1 }), warned: at(`a${sign}b`) },
    { name: `a key with ${sign}`, json: attributes({ a: { [`b${sign}`]: 1 } }), warned: at(`a.b${sign}`) },
  ]),
  ...['MOE_TIME_FORMAT', 'MOE_TIME_TIMEZONE', 'MOE_GAID', 'MOE_ISLAT', 'INSTALL', 'UPDATE', 'status', 'user_id', 'source', 'USER_ATTRIBUTE_UNIQUE_ID', 'USER_ATTRIBUTE_USER_EMAIL'].map((name) => ({ name: `the reserved name ${name}`, json: attributes({ [name]: 'x' }), warned: at(name) })),
  { name: 'null meant to clear', json: attributes({ city: null }), warned: at('city') },
  { name: 'an empty text meant to clear', json: attributes({ city: '' }), warned: at('city') },
  { name: 'null meant to clear a standard attribute', json: attributes({ u_n: null }), warned: at('u_n') },
  { name: 'an empty text meant to clear a standard attribute', json: attributes({ u_fn: '' }), warned: at('u_fn') },
  { name: 'null for a consent', json: attributes({ moe_unsubscribe: null }), warned: at('moe_unsubscribe') },
  { name: 'a URL over 512 characters', json: attributes({ page: url }), warned: at('page') },
  { name: 'a text over 512 characters', json: attributes({ note: 'x'.repeat(600) }), warned: at('note') },
  { name: '101 objects in a list', json: attributes({ a: Array.from({ length: 101 }, (_, i) => ({ i })) }), warned: at('a') },
  { name: '51 texts in a list', json: attributes({ a: Array.from({ length: 51 }, () => 'x') }), warned: at('a') },
  { name: 'an object between both readings of 25 KB', json: attributes({ a: objectOf(25_300) }), warned: at('a') },
  { name: 'birthday in another order', json: attributes({ u_bd: '12/04/1990' }), warned: at('u_bd') },
  { name: 'birthday that never was, as a day', json: attributes({ u_bd: '1990-02-30' }), warned: at('u_bd') },
  { name: 'birthday without zone, with time', json: attributes({ u_bd: '1990-04-12T00:00:00' }), warned: at('u_bd') },
  { name: 'birthday blank', json: attributes({ u_bd: '' }), warned: at('u_bd') },
  { name: 'unset what is set beside it', json: user({ attributes: { city: 'Pune' }, unset_attributes: [{ type: 'equals', attr: 'city' }] }), warned: ['unset_attributes[0].attr'] },
  ...([
    ['prefix', 'ci'],
    ['suffix', 'ty'],
    ['contains', 'it'],
    ['prefix', 'CI', false],
    ['suffix', 'TY', false],
    ['contains', 'IT', false],
    ['equals', 'CITY', false],
  ] as const).map(([type, attr, sensitive]) => ({ name: `unset what is set beside it, by ${type} ${attr}`, json: user({ attributes: { age: 1, city: 'Pune' }, unset_attributes: [{ type, attr, ...(sensitive === false ? { case_sensitive: false } : {}) }] }), warned: ['unset_attributes[0].attr'] })),
  { name: 'unset what is added to beside it', json: user({ attributes: { [ADD]: { tags: ['a'] } }, unset_attributes: [{ type: 'prefix', attr: 'ta' }] }), warned: ['unset_attributes[0].attr'] },
  ...(['prefix', 'suffix', 'contains'] as const).map((type) => ({ name: `unset by ${type} what covers the customer_id, too`, json: unset({ type, attr: type === 'prefix' ? 'customer' : '_id' }), warned: ['unset_attributes[0].attr'] })),
  ...[' ann', 'ann ', '\u00a0ann', 'ann\u3000', '\u200bann', 'an\u200bn', 'ann\ufeff', '\u200dann', 'an\u2060n'].map((id) => ({ name: `id with a blank or an invisible character ${JSON.stringify(id)}`, json: user({ customer_id: id }), warned: ['customer_id'] })),
  { name: 'more of unset than can be compared', json: user({ attributes: keys(3_000), unset_attributes: Array.from({ length: 7 }, () => ({ type: 'prefix', attr: 'zz' })) }), warned: ['unset_attributes[6].attr'] },
  { name: 'unset nothing', json: unset(), warned: ['unset_attributes'] },
  { name: 'unset with an unknown member', json: unset({ type: 'equals', attr: 'a', value: 1 }), warned: ['unset_attributes[0].value'] },
  { name: 'add to a standard attribute', json: attributes({ [ADD]: { u_n: ['Ann'] } }), warned: at(`${ADD}.u_n`) },
  ...['undefined', 'null', 'None', 'NaN', '[object Object]'].map((value) => ({ name: `the identifier ${value}`, json: anonymous({ u_mb: value }), warned: at('u_mb') })),
] // prettier-ignore

export const SILENT_USER_CASES: readonly ElementCase[] = [...TAKEN, ...REFUSED, ...DROPPED]
