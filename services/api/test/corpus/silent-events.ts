import { acting, action, device, event, type ElementCase } from './case.js'

/**
 * What MoEngage takes and relay once refused, what it refuses, and what it drops in silence after a
 * success, of events and devices. Sources: the vendor's help pages as of 2026-11.
 */

const STAMP = '"current_time":"2026-11-23T12:00:00.000Z"'
const one = (members: string) =>
  `{"type":"event","customer_id":"ann","actions":[{"action":"Viewed"${members}}]}`
const saying = (named: object) => acting({ attributes: named })
const at = (name: string) => [`actions[0].attributes.${name}`]
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
const unnamed = (identifiers: unknown, change: object = {}) =>
  event({ customer_id: undefined, user_identifiers: identifiers, ...change })

const TAKEN: readonly ElementCase[] = [
  { name: 'current_time null: stamped in its place', json: one(',"current_time":null'), sent: [one(`,${STAMP}`)], warned: ['actions[0].current_time'] },
  { name: 'user_time null: stamped', json: one(',"user_time":null'), sent: [one(`,${STAMP}`)], warned: ['actions[0].user_time'] },
  { name: 'both times null: stamped', json: one(',"current_time":null,"user_time":null'), sent: [one(`,${STAMP}`)], warned: ['actions[0].current_time', 'actions[0].user_time'] },
  { name: 'current_time null beside user_time', json: acting({ current_time: null, user_time: '2026-11-23T11:00:00Z' }), sent: [acting({ current_time: undefined, user_time: '2026-11-23T11:00:00Z' })], warned: ['actions[0].current_time'] },
  { name: 'current_time null in one of two actions', json: '{"type":"event","customer_id":"ann","actions":[{"action":"A","current_time":1795435200},{"current_time":null,"action":"B"}]}', sent: [`{"type":"event","customer_id":"ann","actions":[{"action":"A","current_time":1795435200},{"action":"B",${STAMP}}]}`], warned: ['actions[1].current_time'] },
  ...['platform', 'app_version', 'moe_os_type', 'user_timezone_offset', 'attributes'].map((name) => ({ name: `${name} null`, json: acting({ [name]: null }), sent: [event()], warned: [`actions[0].${name}`] })),
  { name: 'device_id null', json: event({ device_id: null }), sent: [event()], warned: ['device_id'] },
  { name: 'user_identifiers null beside an id', json: event({ user_identifiers: null }), sent: [event()], warned: ['user_identifiers'] },
  { name: 'customer_id null beside identifiers', json: event({ customer_id: null, user_identifiers: { u_mb: '1' } }), sent: [event({ customer_id: undefined, user_identifiers: { u_mb: '1' } })], warned: ['customer_id'] },
  { name: 'an identifier good, another blank', json: unnamed({ u_mb: '1', u_em: '' }), warned: ['user_identifiers.u_em'] },
  { name: 'an identifier good, another null', json: unnamed({ u_mb: '1', u_em: null }), warned: ['user_identifiers.u_em'] },
  { name: 'a blank identifier beside an id', json: event({ user_identifiers: { u_em: ' ' } }), warned: ['user_identifiers.u_em'] },
  { name: 'identifiers of any name', json: unnamed({ loyalty_card: 'LC-55120' }) },
  { name: 'the project of an event', json: saying({ moe_project_name: 'eu' }) },
  ...[0, 3600, -3600, 19_800, 20_700, 45_900, -34_200, 54_000].map((offset) => ({ name: `an offset of ${offset} s`, json: acting({ user_timezone_offset: offset }) })),
  { name: 'lists and objects of an event', json: saying({ items: [{ sku: 'a', price: 1.5 }, { sku: 'b', tags: ['x'] }], ids: [1, 2], cart: { total: 3 } }) },
  { name: '100 objects of an event', json: saying({ items: Array.from({ length: 100 }, (_, i) => ({ i })) }) },
  { name: 'names that are reserved for users', json: saying({ status: 'paid', source: 'web', user_id: 'x' }) },
  { name: 'a future value', json: saying({ delivers: '2030-01-01T00:00:00Z' }) },
  { name: 'an event name beyond ASCII', json: acting({ action: '購入' }) },
  { name: 'an event name with signs', json: acting({ action: 'Cart $ 100%' }) },
  { name: 'device: optional attributes null', json: device({}, { model: null }), warned: ['attributes.model'] },
] // prettier-ignore

const REFUSED: readonly ElementCase[] = [
  ...[' ', '\t', '\n ', '\u00a0', '\u3000'].map((name) => ({ name: `a blank event name ${JSON.stringify(name)}`, json: acting({ action: name }), refused: ['actions[0].action'], type: 'MissingAttributeError' })),
  { name: 'event name null', json: acting({ action: null }), refused: ['actions[0].action'] },
  ...['undefined', 'NaN', '[object Object]', 'a\u0007b'].map((id) => ({ name: `id ${JSON.stringify(id)}`, json: event({ customer_id: id }), refused: ['customer_id'] })),
  { name: 'only blank identifiers', json: unnamed({ u_em: '', u_mb: ' ' }), refused: ['user_identifiers.u_em', 'user_identifiers.u_mb'] },
  { name: 'only null identifiers', json: unnamed({ u_em: null }), refused: ['user_identifiers.u_em'] },
  { name: 'identifiers null and no id', json: unnamed(null), refused: ['customer_id'] },
  { name: 'id null and identifiers blank', json: event({ customer_id: null, user_identifiers: { u_em: '' } }), refused: ['customer_id', 'user_identifiers.u_em'] },
  { name: '101 keys of an event', json: saying({ cart: keys(101) }), refused: at('cart') },
  { name: 'a large object of an event', json: saying({ cart: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'x'.repeat(500)])) }), refused: at('cart') },
  { name: 'an object as system', json: saying({ moe_os_type: { a: 1 } }), refused: at('moe_os_type') },
  { name: 'an object as project', json: saying({ moe_project_name: { a: 1 } }), refused: at('moe_project_name') },
  { name: 'type Event', json: '{"type":"Event","customer_id":"ann","actions":[]}', refused: ['type'] },
  { name: 'type events', json: '{"type":"events","customer_id":"ann","actions":[]}', refused: ['type'] },
  { name: 'device: required attribute null', json: device({}, { platform: null }), refused: ['attributes.platform'] },
  { name: 'device: attributes null', json: device({ attributes: null }), refused: ['attributes'] },
  { name: 'device: id undefined', json: device({ customer_id: 'undefined' }), refused: ['customer_id'] },
  { name: 'device: id null', json: device({ customer_id: null }), refused: ['customer_id'] },
  { name: 'type Device', json: device({ type: 'Device' }), refused: ['type'] },
] // prettier-ignore

const DROPPED: readonly ElementCase[] = [
  ...['props', 'properties', 'attribute', 'params'].map((name) => ({ name: `${name} instead of attributes of an action`, json: acting({ [name]: { a: 1 } }), warned: [`actions[0].${name}`] })),
  ...['timestamp', 'time', 'eventTime'].map((name) => ({ name: `${name} instead of current_time`, json: acting({ [name]: 1795435200 }), warned: [`actions[0].${name}`] })),
  { name: 'attributes beside actions', json: event({ attributes: { a: 1 } }), warned: ['attributes'] },
  { name: 'unset_attributes of an event', json: event({ unset_attributes: [{ type: 'equals', attr: 'a' }] }), warned: ['unset_attributes'] },
  { name: 'unset_attributes of a device', json: device({ unset_attributes: [{ type: 'equals', attr: 'a' }] }), warned: ['unset_attributes'] },
  { name: 'platforms of an event', json: event({ platforms: [] }), warned: ['platforms'] },
  { name: 'update_existing_only of an event', json: event({ update_existing_only: true }), warned: ['update_existing_only'] },
  ...[330, -480, 60, 5.5, 1, 840, 18_000.5].map((offset) => ({ name: `an offset of ${offset}, which is no time zone`, json: acting({ user_timezone_offset: offset }), warned: ['actions[0].user_timezone_offset'] })),
  { name: 'a list of two kinds', json: saying({ a: ['x', 1] }), warned: at('a') },
  { name: 'a list of booleans', json: saying({ a: [false] }), warned: at('a') },
  { name: 'three levels', json: saying({ a: { b: { c: { d: 1 } } } }), warned: at('a.b.c') },
  { name: 'a null', json: saying({ a: null }), warned: at('a') },
  { name: 'an empty text', json: saying({ a: '' }), warned: at('a') },
  { name: 'an empty object', json: saying({ a: {} }), warned: at('a') },
  ...['utm.source', 'price$', 'rate%', 'sku#'].map((name) => ({ name: `the name ${name}`, json: saying({ [name]: 'x' }), warned: at(name) })),
  { name: 'a URL over 512 characters', json: saying({ page: `http://shop.example/?q=${'x'.repeat(600)}` }), warned: at('page') },
  { name: '101 objects', json: saying({ items: Array.from({ length: 101 }, (_, i) => ({ i })) }), warned: at('items') },
  { name: 'every doubtful action is named', json: event({ actions: [action({ attributes: { a: null } }), action(), action({ attributes: { b: '' } })] }), warned: ['actions[0].attributes.a', 'actions[2].attributes.b'] },
  ...['undefined', 'null', 'None'].map((value) => ({ name: `the identifier ${value}`, json: unnamed({ u_mb: value }), warned: ['user_identifiers.u_mb'] })),
  ...['brand', 'carrier', 'name', 'u_n', 'Platform'].map((name) => ({ name: `device: ${name} is outside the list`, json: device({}, { [name]: 'x' }), warned: [`attributes.${name}`] })),
  { name: 'device: app_version empty', json: device({}, { app_version: '' }), warned: ['attributes.app_version'] },
  { name: 'device: type last, a name outside the list', json: '{"customer_id":"ann","device_id":"d","attributes":{"platform":"iOS","push_id":"p","brand":"Mi"},"type":"device"}', warned: ['attributes.brand'] },
  { name: 'device: actions', json: device({ actions: [] }), warned: ['actions'] },
  { name: 'device: deviceId', json: device({ deviceId: 'd' }), warned: ['deviceId'] },
] // prettier-ignore

export const SILENT_EVENT_CASES: readonly ElementCase[] = [...TAKEN, ...REFUSED, ...DROPPED]
