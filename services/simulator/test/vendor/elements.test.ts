import { customerOf, judgeElement } from '../../src/vendor/elements.js'
import { device, event, user } from '../client.js'

const NOW_MS = Date.parse('2026-11-20T12:00:00Z')

const BAD: readonly [name: string, element: unknown, attribute: string, type: string][] = [
  ['another type', { type: 'order', customer_id: 'anna' }, 'type', 'AttributeError'],
  ['no customer_id', { type: 'customer' }, 'customer_id', 'MissingAttributeError'],
  ['an empty customer_id', user(''), 'customer_id', 'MissingAttributeError'],
  ['one character', user('x'), 'customer_id', 'AttributeError'],
  ['a blocked id', user('guest'), 'customer_id', 'AttributeError'],
  [
    'attributes of another type',
    { ...user('anna'), attributes: [] },
    'attributes',
    'MissingAttributeError',
  ],
  ['a blocked attribute name', user('anna', { _id: 1 }), '_id', 'AttributeError'],
  ['a reserved attribute name', user('anna', { moe_mine: 1 }), 'moe_mine', 'AttributeError'],
  [
    'adding to and removing from one array',
    user('anna', { addValueToArrayField: { a: ['x'] }, removeValueFromArrayField: { a: ['y'] } }),
    'addValueToArrayField',
    'ArrayFieldError',
  ],
  [
    'a flag that is none',
    { ...user('anna'), update_existing_only: 'yes' },
    'update_existing_only',
    'MissingAttributeError',
  ],
  ['no actions', { type: 'event', customer_id: 'anna' }, 'actions', 'MissingAttributeError'],
  ['empty actions', event('anna', 0, 0), 'actions', 'MissingAttributeError'],
  [
    'an action without a name',
    { ...event('anna'), actions: [{}] },
    'action',
    'MissingAttributeError',
  ],
  [
    'an action with an empty name',
    { ...event('anna'), actions: [{ action: '' }] },
    'action',
    'MissingAttributeError',
  ],
  [
    'an action that is a number',
    { ...event('anna'), actions: [{ action: 5 }] },
    'action',
    'Malformed JSON',
  ],
  [
    'a reserved action',
    { ...event('anna'), actions: [{ action: 'moe_x' }] },
    'action',
    'AttributeError',
  ],
  [
    'a future event',
    { ...event('anna'), actions: [{ action: 'a', current_time: '2026-11-20T13:00:00Z' }] },
    'current_time',
    'ValueError',
  ],
  [
    'a local time ahead of its offset',
    {
      ...event('anna'),
      actions: [{ action: 'a', user_time: '2026-11-20T17:45:00', user_timezone_offset: 19_800 }],
    },
    'user_time',
    'ValueError',
  ],
  [
    'a local time that no zone has yet',
    { ...event('anna'), actions: [{ action: 'a', user_time: '2026-11-21T03:15:00' }] },
    'user_time',
    'ValueError',
  ],
  [
    'a time that is none',
    { ...event('anna'), actions: [{ action: 'a', user_time: 'yesterday' }] },
    'user_time',
    'ValueError',
  ],
  [
    'an offset beyond a day',
    { ...event('anna'), actions: [{ action: 'a', user_timezone_offset: 54_001 }] },
    'user_timezone_offset',
    'ValueError',
  ],
  [
    'a version that is a number',
    { ...event('anna'), actions: [{ action: 'a', app_version: 1.2 }] },
    'app_version',
    'TypeError',
  ],
  [
    'a device without an id',
    { ...device('anna'), device_id: undefined },
    'device_id',
    'MissingAttributeError',
  ],
  [
    'a device without attributes',
    { ...device('anna'), attributes: undefined },
    'attributes',
    'MissingAttributeError',
  ],
  [
    'a device without push_id',
    { ...device('anna'), attributes: { platform: 'iOS' } },
    'push_id',
    'MissingAttributeError',
  ],
]

const GOOD: readonly [name: string, element: unknown][] = [
  ['a user', user('anna')],
  ['a user without attributes', { type: 'customer', customer_id: 'anna' }],
  ['a user known by an identifier', { type: 'customer', attributes: { moe_mobile: '+491' } }],
  ['a standard moe_ attribute', user('anna', { moe_unsubscribe: true })],
  ['an event', event('anna')],
  [
    'an event known by identifiers',
    { ...event(''), customer_id: undefined, user_identifiers: { moe_mobile: '1' } },
  ],
  [
    'a local time as far ahead as its offset',
    {
      ...event('anna'),
      actions: [{ action: 'a', user_time: '2026-11-20T17:30:00', user_timezone_offset: 19_800 }],
    },
  ],
  [
    'a zone in hours',
    { ...event('anna'), actions: [{ action: 'a', current_time: '2026-11-20T14:00:00+02' }] },
  ],
  [
    'a local time beside the UTC time',
    {
      ...event('anna'),
      actions: [
        { action: 'a', user_time: '2026-11-20T17:30:00', current_time: '2026-11-20T12:00:00Z' },
      ],
    },
  ],
  ['epoch seconds', { ...event('anna'), actions: [{ action: 'a', current_time: 1_590_404_615 }] }],
  [
    'epoch milliseconds as text',
    { ...event('anna'), actions: [{ action: 'a', user_time: '1708939453396' }] },
  ],
  [
    'ISO 8601',
    { ...event('anna'), actions: [{ action: 'a', current_time: '2020-05-31T16:33:35Z' }] },
  ],
  ['a misspelt platform', { ...event('anna'), actions: [{ action: 'a', platform: 'Windows' }] }],
  ['a device', device('anna')],
]

describe('an element', () => {
  test.each(BAD)('with %s is refused, and the attribute named', (_, element, attribute, type) => {
    expect(judgeElement(element, NOW_MS)).toMatchObject({ status: 400, attribute, type })
  })
  test.each(GOOD)('is accepted: %s', (_, element) =>
    expect(judgeElement(element, NOW_MS)).toBeNull(),
  )
})

describe('a workspace with its own names', () => {
  const names = { identifiers: ['card', 'u_mb'], allowedNames: ['moe_new'] }
  const card = { type: 'customer', attributes: { card: 'LC-1' } }
  test.each([
    card,
    user('anna', { moe_new: 1 }),
    { ...event('anna'), actions: [{ action: 'moe_new', attributes: { moe_new: 1 } }] },
  ])('takes what others refuse: %j', (element) => {
    expect(judgeElement(element, NOW_MS)).toMatchObject({ status: 400 })
    expect(judgeElement(element, NOW_MS, names)).toBeNull()
  })
  test('refuses names that it does not allow', () => {
    const refused = judgeElement(user('anna', { moe_other: 1 }), NOW_MS, names)
    expect(refused).toMatchObject({ attribute: 'moe_other' })
  })
  test('knows a user by the first of its identifiers that is not blank', () => {
    const same = [
      card,
      { type: 'customer', attributes: { u_mb: '1', card: 'LC-1' } },
      { type: 'event', user_identifiers: { other: 'x', card: 'LC-1' } },
    ]
    expect(new Set(same.map((element) => customerOf(element, names)))).toEqual(new Set(['card=LC-1'])) // prettier-ignore
    const blank = { type: 'customer', attributes: { card: ' ', u_mb: '1' } }
    expect(customerOf(blank, names)).toBe('u_mb=1')
  })
})
