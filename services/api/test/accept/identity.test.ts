import { customerKey } from '@relay/shared/identity.js'
import { createHash } from 'node:crypto'
import { CustomerKeys, identityOf, identityOfCustomerId } from '../../src/accept/identity.js'

const event = (change: object) => identityOf('event', { type: 'event', ...change })
const user = (change: object) => identityOf('customer', { type: 'customer', ...change })

describe('the identity of a customer', () => {
  it('is the customer_id, for any other members', () => {
    const ann = identityOfCustomerId('ann')
    expect(user({ customer_id: 'ann', attributes: { u_em: 'a@b.example' } })).toBe(ann)
    expect(event({ customer_id: 'ann', user_identifiers: { u_em: 'x' } })).toBe(ann)
    expect(identityOf('device', { customer_id: 'ann', device_id: 'd' })).toBe(ann)
  })

  it('is otherwise the identifiers, in any order and as text or number', () => {
    const one = event({ user_identifiers: { u_em: 'a@b.example', u_mb: '123' } })
    expect(event({ user_identifiers: { u_mb: 123, u_em: 'a@b.example' } })).toBe(one)
    expect(user({ attributes: { first: 'x', u_mb: '123', u_em: 'a@b.example' } })).toBe(one)
    expect(event({ user_identifiers: { u_em: 'a@b.example' } })).not.toBe(one)
  })

  it.each([
    [event({ user_identifiers: { a: 'b', c: 'd' } }), event({ user_identifiers: { a: 'b","c":"d' } })],
    [event({ user_identifiers: { a: 'b' } }), event({ user_identifiers: { b: 'a' } })],
    [event({ customer_id: 'i:[["a","b"]]' }), event({ user_identifiers: { a: 'b' } })],
    [event({ customer_id: 'Ann' }), event({ customer_id: 'ann' })],
  ])('is never confused with another: %s, %s', (a, b) => expect(a).not.toBe(b)) // prettier-ignore

  it('is the same in every order of its identifiers', () => {
    const pairs = [['u_mb', '1'], ['u_em', '2'], ['uid', '3'], ['u_gd', '4'], ['a', '5']] as const // prettier-ignore
    const one = event({ user_identifiers: Object.fromEntries(pairs) })
    for (let turn = 0; turn < pairs.length; turn += 1) {
      const turned = [...pairs.slice(turn), ...pairs.slice(0, turn)]
      expect(event({ user_identifiers: Object.fromEntries(turned) })).toBe(one)
      expect(event({ user_identifiers: Object.fromEntries(turned.toReversed()) })).toBe(one)
    }
  })

  it('becomes the key that orders its elements', () => {
    const keys = new CustomerKeys()
    const element = { customer_id: 'änn 😀' }
    const expected = createHash('sha256').update('c:änn 😀', 'utf8').digest().subarray(0, 8)
    expect(Buffer.from(keys.keyOf('customer', element), 'latin1')).toEqual(expected)
    expect(keys.keyOf('customer', element)).toBe(customerKey('c:änn 😀'))
  })

  it('is the same key however many customers came between, and however long the id', () => {
    const keys = new CustomerKeys()
    const ids = Array.from({ length: 40_000 }, (_, i) => `${'x'.repeat(i % 70)}${i % 30_000}`)
    const wrong = ids.filter(
      (id) => keys.keyOf('event', { customer_id: id }) !== customerKey(`c:${id}`),
    )
    expect(wrong).toEqual([])
    const named = { user_identifiers: { u_mb: 'x' } }
    expect(keys.keyOf('event', named)).toBe(customerKey(identityOf('event', named)))
  })
})
