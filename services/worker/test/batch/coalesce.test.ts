import fc from 'fast-check'
import { batchOf, writeBody, type Batch } from '../../src/batch/body.js'
import { pack } from '../../src/batch/pack.js'
import { Shapes } from '../../src/batch/shape.js'
import type { Item } from '../../src/fetch/window.js'
import { itemsOf, streams, waitingIn, type Written } from '../support/elements.js'
import { CustomerModel, OWN_IDENTIFIER, readings, type Readings } from '../support/profile-model.js'
import { memberOf, readRaw, textOf, type Raw } from '../support/raw-json.js'

const LIMITS = {
  usersPerWindow: 100,
  eventsPerWindow: 100,
  devicesPerWindow: null,
  maxBodyBytes: 128_000,
}
const SHAPES = new Shapes([OWN_IDENTIFIER])
const AMPLE = { users: 1e9, events: 1e9, devices: 1e9 }

/** The elements of a batch's body, as MoEngage reads them. */
function elementsOf(batch: Batch): readonly Raw[] {
  const elements = memberOf(readRaw(writeBody(batch).toString()), 'elements')
  return elements?.type === 'array' ? elements.items : []
}

/** Consecutive requests for the items, cut at these places. */
function requestsOf(items: readonly Item[], cuts: readonly number[], coalesces: boolean): Batch[] {
  const ends = [...new Set(cuts.map((cut) => cut % items.length)), items.length].sort(
    (a, b) => a - b,
  )
  return ends
    .map((end, i) => items.slice(i === 0 ? 0 : ends[i - 1], end))
    .filter((part) => part.length > 0)
    .map((part) => batchOf(part, LIMITS, coalesces ? SHAPES : null))
}

/** What MoEngage knows of every customer in the end, and saw on the way. */
function observed(elements: readonly Raw[], given: Readings): Record<string, unknown> {
  const customers = new Map<string, CustomerModel>()
  for (const element of elements) {
    const id = textOf(memberOf(element, 'customer_id'))
    const customer = customers.get(id) ?? new CustomerModel(given)
    customers.set(id, customer)
    customer.apply(element)
  }
  return Object.fromEntries([...customers].map(([id, customer]) => [id, customer.observed]))
}

const run = (stream: readonly Written[], coalesces = true): Batch =>
  batchOf(itemsOf(waitingIn(stream)), LIMITS, coalesces ? SHAPES : null)

const update = (attributes: string, customer = 'ann'): Written => ({
  kind: 'user',
  customer,
  json: `{"type":"customer","customer_id":"${customer}","attributes":${attributes}}`,
  cost: 1,
})
const event = (action: string, customer = 'ann'): Written => ({
  kind: 'event',
  customer,
  json: `{"type":"event","customer_id":"${customer}","actions":[${action}]}`,
  cost: 1,
})

describe('coalescing', () => {
  test('MoEngage ends with the same profiles and sees the same events, however it reads them', () => {
    let cases = 0
    let joined = 0
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.nat(), { maxLength: 3 }),
        readings,
        (stream, cuts, given) => {
          cases += 1
          const items = itemsOf(waitingIn(stream))
          const apart = requestsOf(items, cuts, false)
          const together = requestsOf(items, cuts, true)
          for (const { runs } of together)
            joined += runs.filter((one) => one.items.length > 1).length
          const expected = observed(apart.flatMap(elementsOf), given)
          expect(observed(together.flatMap(elementsOf), given)).toEqual(expected)
        },
      ),
      { numRuns: 10_000 },
    )
    // Else the law would hold because nothing is ever joined.
    expect(joined).toBeGreaterThan(cases / 2)
  })

  test('body and costs are counted as they are written, and no element is lost', () => {
    fc.assert(
      fc.property(streams, fc.boolean(), (stream, coalesces) => {
        const batch = run(stream, coalesces)
        const elements = elementsOf(batch)
        const count = (type: string) =>
          elements.filter((element) => textOf(memberOf(element, 'type')) === type)
        const actions = count('event').map((element) => memberOf(element, 'actions'))
        expect(batch.bodyBytes).toBe(writeBody(batch).length)
        expect(batch.cost).toEqual({
          users: count('customer').length + count('device').length,
          events: actions.reduce((sum, list) => sum + (list?.type === 'array' ? list.items.length : 0), 0), // prettier-ignore
          devices: 0,
        })
        const apart = run(stream, false)
        expect(batch.cost.users + batch.saved.users).toBe(apart.cost.users)
        expect(batch.cost.events).toBe(apart.cost.events)
        const carried = batch.runs.flatMap(({ items }) => items)
        expect(new Set(carried)).toEqual(new Set(batch.items))
        expect(carried).toHaveLength(stream.length)
        const budgetBytes = batch.budgetBytes.users + batch.budgetBytes.events
        expect(budgetBytes).toBe(batch.runs.reduce((sum, { bytes }) => sum + bytes + 1, 0))
      }),
      { numRuns: 2_000 },
    )
  })

  test('packing exceeds neither the body nor a budget, and takes what costs nothing more', () => {
    const room = fc.record({
      bodyBytes: fc.integer({ min: 300, max: 2_000 }),
      users: fc.integer({ min: 0, max: 4 }),
      events: fc.integer({ min: 0, max: 6 }),
    })
    fc.assert(
      fc.property(streams, room, (stream, { bodyBytes, users, events }) => {
        const affordable = { users, events, devices: 0 }
        const own = { limits: LIMITS, shapes: SHAPES, mostWindows: 1, windowByWindow: false }
        const batch = pack([waitingIn(stream)], { bodyBytes, affordable, most: AMPLE, ...own })
        expect(batch.bodyBytes).toBe(writeBody(batch).length)
        if (batch.items.length > 1) expect(batch.bodyBytes).toBeLessThanOrEqual(bodyBytes)
        expect(batch.cost.users).toBeLessThanOrEqual(users)
        expect(batch.cost.events).toBeLessThanOrEqual(events)
        expect(batchOf(batch.items, LIMITS, SHAPES).cost).toEqual(batch.cost)
      }),
      { numRuns: 2_000 },
    )
    const burst = Array.from({ length: 9 }, (_, i) => update(`{"score":${i}}`))
    const one = { users: 1, events: 0, devices: 0 }
    const own = { limits: LIMITS, shapes: SHAPES, mostWindows: 1, windowByWindow: false }
    const batch = pack([waitingIn(burst)], {
      bodyBytes: 200,
      affordable: one,
      most: AMPLE,
      ...own,
    })
    expect(batch.items).toHaveLength(9)
  })

  test('values and names keep their own bytes, the last value of each', () => {
    const batch = run([
      update('{"big":12345678901234567890,"score":1,"price":1.10,"na\\u006de":"Zo\\u00eb"}'),
      update('{"score":2,"name":"Ann","tags":["x" ]}'),
      update('{"score":3,"added":1e400}'),
    ])
    const merged =
      '{"type":"customer","customer_id":"ann","attributes":{"big":12345678901234567890,"price":1.10,"name":"Ann","tags":["x" ],"score":3,"added":1e400}}'
    expect(writeBody(batch).toString()).toBe(`{"type":"transition","elements":[${merged}]}`)
    expect(batch.cost.users).toBe(1)
    expect(batch.saved.users).toBe(2)
  })

  test('a burst of five ordinary updates costs one user', () => {
    const burst = Array.from({ length: 5 }, (_, i) =>
      update(
        `{"u_em":"ann@example.com","sizes":[38,39],"last_page":"/p/${'x'.repeat(i)}","visits":${i}}`,
      ),
    )
    expect(run(burst).cost.users).toBe(1)
  })

  test('events share an element when all but their actions is equal', () => {
    const batch = run([
      event('{"action":"A"}'),
      event('{"action":"B"}'),
      event('{"action":"C"}', 'bob'),
    ])
    expect(batch.runs.map(({ items }) => items.length)).toEqual([2, 1])
    expect(writeBody(batch).toString()).toContain('"actions":[{"action":"A"},{"action":"B"}]}')
    expect(batch.cost.events).toBe(3)
  })

  test('other customers in between do not matter, an element of the same one does', () => {
    const ann = update('{"score":1}')
    const bob = update('{"score":1}', 'bob')
    expect(run([ann, bob, ann, bob]).cost.users).toBe(2)
    expect(run([ann, event('{"action":"A"}'), ann]).cost.users).toBe(2)
  })

  test.each([
    ['null over a value', '{"a":1}', '{"a":null}'],
    ['a value over null', '{"a":null}', '{"a":1}'],
    ['empty text', '{"a":"x"}', '{"a":""}'],
    ['another type', '{"a":1}', '{"a":"x"}'],
    ['a decimal for an integer', '{"a":1}', '{"a":1.5}'],
    ['text that looks like a number', '{"a":"x"}', '{"a":"12"}'],
    ['no real time', '{"a":"2026-01-02T03:04:05Z"}', '{"a":"2026-02-30T00:00:00Z"}'],
    ['lists', '{"a":["x"]}', '{"a":["y"]}'],
    ['equal lists of objects', '{"a":[{"x":1}]}', '{"a":[{"x":1}]}'],
    ['objects', '{"a":{"x":1}}', '{"a":{"x":1}}'],
    ['an operator', '{"a":1}', '{"addValueToArrayField":{"b":["x"]}}'],
    ['what cannot be updated later', '{"a":1}', '{"cr_t":1767092989259}'],
    ['an identifier that only one has', '{"a":1}', '{"u_em":"ann@example.com"}'],
    ['an identifier of the workspace that only one has', '{"a":1}', '{"loyalty_card":"L1"}'],
    ['another one of the workspace', '{"loyalty_card":"L1"}', '{"loyalty_card":"L2"}'],
    ['an identifier in another case', '{"a":1}', '{"U_Em":"ann@example.com"}'],
    ['another identifier', '{"u_em":"ann@example.com"}', '{"u_em":"ann@example.org"}'],
    ['consent', '{"moe_unsubscribe":true}', '{"moe_unsubscribe":false}'],
    ['a name in another case', '{"a":1}', '{"A":2}'],
    ['a path', '{"a":{"x":1}}', '{"a.x":2}'],
    ['a name that occurs twice', '{"a":1}', '{"b":1,"\\u0062":2}'],
    ['a text that is cut', '{"a":"x"}', `{"a":"${'x'.repeat(513)}"}`],
  ])('leaves apart: %s', (_, earlier, later) =>
    expect(run([update(earlier), update(later)]).cost.users).toBe(2),
  )

  test('leaves apart more attributes than an element may have, and more elements than a hundred', () => {
    const wide = (from: number) =>
      update(`{${Array.from({ length: 51 }, (_, i) => `"f${from + i}":1`).join()}}`)
    expect(run([wide(0), wide(1)]).cost.users).toBe(1)
    expect(run([wide(0), wide(51)]).cost.users).toBe(2)
    const long = Array.from({ length: 201 }, () => update('{"score":1}'))
    expect(run(long).runs.map(({ items }) => items.length)).toEqual([100, 100, 1])
  })
})
