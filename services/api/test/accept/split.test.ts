import fc from 'fast-check'
import { splitEvent } from '../../src/accept/build.js'
import { APP, TestIntake, transition, workspace } from '../support/intake.js'

const buffers = fc.array(fc.string({ minLength: 2, maxLength: 40 }), {
  minLength: 1,
  maxLength: 60,
})

describe('splitting an event', () => {
  it('loses and reorders no action, and keeps every piece within both limits', () => {
    fc.assert(
      fc.property(buffers, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 30, max: 300 }), (names, maxActions, maxBytes) => {
        const actions = names.map((name) => Buffer.from(JSON.stringify({ a: name })))
        const event = { head: Buffer.from('{"x":['), actions, tail: Buffer.from(']}') }
        const pieces = splitEvent(event, { maxActions, maxBytes })
        const tooLong = actions.some((action) => action.length + 8 > maxBytes)
        if (pieces === null) return tooLong
        const sent = pieces.map(({ json }) => JSON.parse(json.toString()) as { x: unknown[] })
        expect(sent.flatMap(({ x }) => x)).toEqual(names.map((a) => ({ a })))
        pieces.forEach((piece, i) => {
          expect(piece.actions).toBe(sent[i]?.x.length)
          expect(piece.actions).toBeGreaterThanOrEqual(1)
          expect(piece.actions).toBeLessThanOrEqual(maxActions)
          expect(piece.json.length).toBeLessThanOrEqual(maxBytes)
        })
        // As many as fit: the next action would have been one too many, or too long.
        pieces.slice(1).forEach((piece, i) => {
          const before = pieces[i]
          const next = JSON.stringify(sent[i + 1]?.x[0]).length
          const isFull = before?.actions === maxActions
          expect(isFull || (before?.json.length ?? 0) + 1 + next > maxBytes).toBe(true)
        })
        return !tooLong
      }),
    )
  }) // prettier-ignore

  it('fills a piece to the last byte', () => {
    const [head, tail] = [Buffer.from('{"x":['), Buffer.from(']}')]
    const actions = ['1', '22', '333'].map((text) => Buffer.from(text))
    const cut = (maxBytes: number) =>
      splitEvent({ head, actions, tail }, { maxActions: 9, maxBytes })?.map(({ json }) =>
        json.toString(),
      )
    expect(cut(16)).toEqual(['{"x":[1,22,333]}'])
    expect(cut(15)).toEqual(['{"x":[1,22]}', '{"x":[333]}'])
    expect(cut(12)).toEqual(['{"x":[1,22]}', '{"x":[333]}'])
    expect(cut(11)).toEqual(['{"x":[1]}', '{"x":[22]}', '{"x":[333]}'])
    expect(cut(10)).toBeUndefined()
  })
})

describe('an event that no single grant or body can carry', () => {
  const limits = {
    usersPerWindow: 10,
    eventsPerWindow: 300,
    devicesPerWindow: null,
    maxBodyBytes: 600,
  }
  const intake = new TestIntake([workspace(APP, { limits })])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  const eventOf = (actions: readonly object[]) =>
    transition({ type: 'event', customer_id: 'ann', actions, extra: 1 })
  const action = (i: number, size = 1) => ({ action: 'a'.repeat(size), n: i, user_time: 1 })

  it('is cut at 1 % of the window, in order, and counts once', async () => {
    await intake.send({ body: eventOf([0, 1, 2, 3, 4, 5, 6].map((i) => action(i))) })
    const elements = intake.store.posts.splice(0).flatMap((post) => post.elements)
    expect(elements.map(({ cost, posted }) => [cost, posted])).toEqual([[3, 0], [3, 0], [1, 1]]) // prettier-ignore
    const sent = elements.map(
      ({ json }) => JSON.parse(json.toString()) as { actions: { n: number }[] },
    )
    expect(sent.flatMap(({ actions }) => actions.map(({ n }) => n))).toEqual([0, 1, 2, 3, 4, 5, 6])
    for (const piece of sent) expect(piece).toMatchObject({ type: 'event', customer_id: 'ann', extra: 1 }) // prettier-ignore
  })

  it('is cut where a body would be too large, and refused only if one action is', async () => {
    const answer = await intake.send({ body: eventOf([action(0, 300), action(1, 300)]) })
    expect(answer.status).toBe(200)
    expect(intake.store.take()).toHaveLength(2)
    const refused = await intake.send({ body: eventOf([action(0), action(1, 600)]) })
    expect(refused.status).toBe(413)
    expect(refused.body.error?.details?.[0]?.index).toBe(0)
  })

  it('fills a body to the last byte and no further', async () => {
    const text = (size: number) => `{"type":"customer","customer_id":"${'x'.repeat(size)}"}`
    const envelope = '{"type":"transition","elements":[]}'.length
    const fits = 600 - envelope - text(0).length
    const send = (size: number) => intake.send({ body: `{"type":"transition","elements":[${text(size)}]}` }) // prettier-ignore
    expect((await send(fits)).status).toBe(200)
    expect((await send(fits + 1)).status).toBe(413)
  })
})
