import {
  ACTION_FIELD_TYPES,
  DEVICE_ATTRIBUTE_TYPES,
  PLATFORM_ACTIVE,
  USER_ATTRIBUTE_TYPES,
  type FieldType,
} from '../../src/validate/fields.js'
import { DEVICE_PLATFORMS } from '../../src/validate/names.js'

/** One value of each kind: which of them a field takes tells what it is. */
const VALUES = ['x', true, 7, 1.5, null, ['x'], { a: 1 }]
const taken = ({ accepts }: FieldType) => VALUES.filter((value) => accepts(value))
const STRING = ['x']

// openapi: UserAttributes, DeviceAttributes, EventAction.
const USER = {
  text: ['u_bd', 'u_n', 'u_fn', 'u_ln', 'u_gd', 'u_mb', 'uid', 'moe_em_unsub_categories', 'moe_sms_subscription', 'publisher_name', 'campaign_name', 'geo', 'moe_gaid', 'advertising_identifier'], // prettier-ignore
  truth: ['moe_wa_subscription', 'push_preference', 'moe_sub_w', 'moe_spam', 'moe_unsubscribe', 'moe_hard_bounce'], // prettier-ignore
  whole: ['u_l_a', 'cr_t'],
}

describe('the documented attributes', () => {
  it.each(USER.text)('%s of a user is a text', (name) =>
    expect(taken(USER_ATTRIBUTE_TYPES.get(name)!)).toEqual(STRING),
  )
  it.each(USER.truth)('%s of a user is true or false', (name) =>
    expect(taken(USER_ATTRIBUTE_TYPES.get(name)!)).toEqual([true]),
  )
  it.each(USER.whole)('%s of a user is a whole number', (name) =>
    expect(taken(USER_ATTRIBUTE_TYPES.get(name)!)).toEqual([7]),
  )
  it.each(['model', 'moe_push_provisional_opted', 'app_version', 'os_version', 'moe_gaid', 'idfv'])(
    '%s of a device is a text',
    (name) => expect(taken(DEVICE_ATTRIBUTE_TYPES.get(name)!)).toEqual(STRING),
  )
  it.each(['platform', 'app_version'])('%s of an action is a text', (name) =>
    expect(taken(new Map(ACTION_FIELD_TYPES).get(name)!)).toEqual(STRING),
  )

  it('are these alone, and a few of one form', () => {
    const others = ['u_em', 'moe_email_optin_status']
    const users = [...USER.text, ...USER.truth, ...USER.whole, ...others]
    expect([...USER_ATTRIBUTE_TYPES.keys()].sort()).toEqual(users.sort())
    expect(DEVICE_ATTRIBUTE_TYPES.size).toBe(7)
    for (const name of others) expect(taken(USER_ATTRIBUTE_TYPES.get(name)!)).toEqual([])
    expect(USER_ATTRIBUTE_TYPES.get('u_em')!.accepts('a@b.example')).toBe(true)
  })

  it.each<[FieldType, string[]]>([
    [USER_ATTRIBUTE_TYPES.get('moe_email_optin_status')!, ['DOUBLE_OPTED_IN', 'OPTED_OUT', 'OPT_IN_PENDING']], // prettier-ignore
    [DEVICE_ATTRIBUTE_TYPES.get('moe_push_opted')!, ['True', 'False']],
    [PLATFORM_ACTIVE, ['true', 'false']],
  ])('of a few values take these, spelt so, and say which', ({ accepts, expected }, values) => {
    for (const value of values) {
      expect(accepts(value)).toBe(true)
      expect(accepts(value.toLowerCase().toUpperCase() + ' ')).toBe(false)
      expect(accepts([value])).toBe(false)
      expect(expected).toContain(value)
    }
    expect([accepts(''), accepts(true), accepts('x')]).toEqual([false, false, false])
  })

  it('say in words what they want', () => {
    for (const { expected } of [
      ...USER_ATTRIBUTE_TYPES.values(),
      ...DEVICE_ATTRIBUTE_TYPES.values(),
    ])
      expect(expected).toMatch(/^(string|boolean|integer|one of )/)
  })
})

it('a device is on one of these platforms', () =>
  expect([...DEVICE_PLATFORMS].sort()).toEqual(['ANDROID', 'TV', 'iOS', 'web']))
