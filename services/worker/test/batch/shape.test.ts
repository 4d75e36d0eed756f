import type { Kind } from '@relay/shared/element.js'
import { Shapes, AttributeNames } from '../../src/batch/shape.js'

const names = new AttributeNames(['loyalty_card', 'Member-No'])
const shape = (kind: Kind, json: string) =>
  new Shapes(['loyalty_card']).of({
    kind,
    json: Buffer.from(json),
    cost: 1,
    customer: 'c',
    posted: 1,
  })

describe('the name of an attribute', () => {
  const plain = { joins: true, identifies: false, standard: false }

  it.each<[string, object]>([
    ['plan', { name: 'plan', key: 'plan', ...plain }],
    ['Plan ', { name: 'Plan ', key: 'plan', ...plain }],
    ['pl\\u0061n', { name: 'plan', key: 'plan', ...plain }],
    ['\\"a\\"', { name: '"a"', key: '"a"', ...plain }],
    ['ﬁt', { name: 'ﬁt', key: 'fit', ...plain }],
    ['u_em', { name: 'u_em', joins: true, identifies: true, standard: true }],
    ['U_EM', { name: 'U_EM', joins: true, identifies: true }],
    ['loyalty_card', { name: 'loyalty_card', joins: true, identifies: true, standard: false }],
    ['Loyalty_Card', { joins: true, identifies: true }],
    ['member-no', { joins: true, identifies: true }],
    ['cr_t', { joins: false }],
    ['addValueToArrayField', { joins: false }],
    ['removeValueFromArrayField', { joins: false }],
    ['a.b', { joins: false }],
    ['a$', { joins: false }],
    ['\\u0024a', { joins: false }],
    ['', { joins: false }],
    ['n'.repeat(150), { joins: true }],
    ['n'.repeat(201), { joins: false }],
  ])('%s says %j', (written, facts) => {
    expect(names.of(written)).toMatchObject(facts)
    expect(names.of(written)).toBe(names.of(written))
  })

  it('is not cached permanently', () => {
    const first = names.of('remembered')
    for (let i = 0; i <= 10_000; i += 1) names.of(`n${i}`)
    const again = names.of('remembered')
    expect(again).toEqual(first)
    expect(again).not.toBe(first)
  })
})

describe('the shape of a user update', () => {
  it('is what stands before its attributes, they themselves, and what stands behind', () => {
    const found = shape(
      'user',
      '{"type":"customer","attributes":{"a":[1,"}"],"u_em":"x","uid":7},"customer_id":"c"}',
    )
    if (found?.kind !== 'user') throw new Error('has none')
    expect(found.head.toString()).toBe('{"type":"customer","attributes":{')
    expect(found.tail.toString()).toBe('},"customer_id":"c"}')
    const written = [...found.attributes].map(([key, { json, start, value, end }]) => [
      key,
      json.toString('utf8', start, end),
      json.toString('utf8', value, end),
    ])
    expect(written).toEqual([
      ['a', '"a":[1,"}"]', '[1,"}"]'],
      ['u_em', '"u_em":"x"', '"x"'],
      ['uid', '"uid":7', '7'],
    ])
    expect(found.identifiers).toContain('"u_em":"x"')
  })

  it('lists identifiers in canonical order', () => {
    const identifiersOf = (attributes: string) => {
      const found = shape('user', `{"type":"customer","attributes":${attributes}}`)
      return found?.kind === 'user' ? found.identifiers : null
    }
    const one = identifiersOf('{"u_em":"x","a":1,"u_mb":"2"}')
    expect(identifiersOf('{"u_mb":"2","u_em":"x"}')).toBe(one)
    expect(identifiersOf('{"u_mb":"3","u_em":"x"}')).not.toBe(one)
    expect(identifiersOf('{"u_em":"x"}')).not.toBe(one)
    expect(identifiersOf('{"a":1}')).toBe('')
    expect(identifiersOf('{"a":1,"loyalty_card":"L"}')).toBe('"loyalty_card":"L"')
  })
})

describe('the shape of an event', () => {
  it('is what stands before its actions, they themselves, and what stands behind', () => {
    const found = shape('event', '{"type":"event","actions":[{"a":1},{"b":[2]}],"device_id":"d"}')
    if (found?.kind !== 'event') throw new Error('has none')
    expect(found.head.toString()).toBe('{"type":"event","actions":[')
    expect(found.actions.toString()).toBe('{"a":1},{"b":[2]}')
    expect(found.tail.toString()).toBe('],"device_id":"d"}')
  })
})

it.each<[string, Kind, string]>([
  ['a device', 'device', '{"type":"device","attributes":{"a":1}}'],
  ['no attributes', 'user', '{"type":"customer","customer_id":"c"}'],
  ['attributes that are none', 'user', '{"type":"customer","attributes":[1]}'],
  ['an unknown member', 'user', '{"type":"customer","attributes":{"a":1},"replace_all":true}'],
  ['an event’s member', 'user', '{"type":"customer","attributes":{"a":1},"device_id":"d"}'],
  [
    'a member that occurs twice',
    'user',
    '{"type":"customer","attributes":{},"attributes":{"a":1}}',
  ],
  ['a member with escapes', 'user', '{"type":"customer","\\u0061ttributes":{"a":1}}'],
  ['a name that occurs twice', 'user', '{"type":"customer","attributes":{"a":1,"a":2}}'],
  ['names that are one to a lax reader', 'user', '{"type":"customer","attributes":{"a":1,"A":2}}'],
  ['an attribute that stays alone', 'user', '{"type":"customer","attributes":{"cr_t":1}}'],
  ['something behind it', 'user', '{"type":"customer","attributes":{"a":1}} '],
  ['no actions', 'event', '{"type":"event","customer_id":"c"}'],
  ['an empty list of actions', 'event', '{"type":"event","actions":[]}'],
  ['actions that are no list', 'event', '{"type":"event","actions":{"a":1}}'],
  ['a user’s member', 'event', '{"type":"event","actions":[1],"attributes":{}}'],
])('an element with %s travels as it is', (_, kind, json) => expect(shape(kind, json)).toBeNull())

it.each<[string, Kind, string]>([
  [
    'update_existing_only',
    'user',
    '{"update_existing_only":true,"platforms":[],"attributes":{"a":1}}',
  ],
  ['no attribute', 'user', '{"type":"customer","attributes":{}}'],
  ['user_identifiers', 'event', '{"user_identifiers":{"u_em":"x"},"actions":[{}]}'],
])('an element with %s has a shape', (_, kind, json) => expect(shape(kind, json)?.kind).toBe(kind))
