import { identityOf, identityOfCustomerId } from '../../src/accept/identity.js'
import { STANDARD_VOCABULARY, vocabularyOf } from '../../src/validate/vocabulary.js'
import { APP, TestIntake, workspace } from '../support/intake.js'

const OWN = workspace(APP, {
  identifiers: ['loyalty_card', 'u_mb'],
  allowedNames: ['moe_new'],
})
const names = vocabularyOf(OWN)
const user = (attributes: object, more = {}) =>
  identityOf('customer', { type: 'customer', attributes, ...more }, names)
const event = (identifiers: object) =>
  identityOf('event', { type: 'event', user_identifiers: identifiers }, names)

describe('the order key in a workspace with its own identifiers', () => {
  it('is the first present of them, for any other members', () => {
    const card = user({ loyalty_card: 'LC-55120' })
    expect(user({ u_mb: '1', loyalty_card: 'LC-55120', u_em: 'a@b.example' })).toBe(card)
    expect(event({ loyalty_card: 'LC-55120', other: 'x' })).toBe(card)
    const mobile = user({ u_mb: '1' })
    expect(user({ u_em: 'a@b.example', u_mb: 1 })).toBe(mobile)
    expect(mobile).not.toBe(card)
  })

  it('is not one that is blank', () => {
    expect(user({ loyalty_card: ' ', u_mb: '1' })).toBe(user({ u_mb: '1' }))
    expect(event({ loyalty_card: null, u_mb: '1' })).toBe(user({ u_mb: '1' }))
  })

  it('is all identifiers where none of them is present, and the customer_id where there is one', () => {
    const standard = identityOf(
      'customer',
      { attributes: { u_em: 'a@b.example', uid: '7' } },
      STANDARD_VOCABULARY,
    )
    expect(user({ u_em: 'a@b.example', uid: '7' })).toBe(standard)
    expect(user({ loyalty_card: 'x' }, { customer_id: 'ann' })).toBe(identityOfCustomerId('ann'))
  })
})

describe('a workspace with its own names', () => {
  const intake = new TestIntake([OWN])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  const post = (...elements: object[]) =>
    intake.send({ body: JSON.stringify({ type: 'transition', elements }) })

  it('has users who are named by them alone', async () => {
    const card = { type: 'customer', attributes: { loyalty_card: 'LC-55120' } }
    const { status } = await post(card, { type: 'customer', customer_id: 'ann' })
    expect(status).toBe(200)
    expect(intake.store.take()[0]).toBe(JSON.stringify(card))
  })

  it.each([
    { type: 'customer', customer_id: 'ann', attributes: { moe_new: 1 } },
    { type: 'event', customer_id: 'ann', actions: [{ action: 'moe_new', attributes: { moe_new: 'x' } }] },
  ])('takes the moe_ names that it allows: %j', async (element) => {
    const { status, body } = await post(element)
    expect(status).toBe(200)
    expect(body.warnings).toBeUndefined()
  }) // prettier-ignore

  it('refuses the others, and says how one is allowed', async () => {
    const element = { type: 'customer', customer_id: 'ann', attributes: { moe_other: 1 } }
    const { status, body } = await post(element)
    expect(status).toBe(400)
    expect(body.error?.message).toContain('allowedNames')
  })

  it('imports such users', async () => {
    const line = '{"type":"customer","attributes":{"loyalty_card":"LC-1"}}\n'
    const headers = { 'content-type': 'application/x-ndjson' }
    const { body } = await intake.send({ path: `/v1/import/${APP}`, body: line, headers })
    expect(body).toMatchObject({ accepted: 1, rejected: 0 })
  })
})
