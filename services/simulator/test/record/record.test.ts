import * as fc from 'fast-check'
import { OverlapWatch } from '../../src/record/overlap.js'
import { Ring } from '../../src/record/record.js'
import { startSimulator, type Simulator } from '../../src/simulator.js'
import { APP, GOOD_HEADERS, KEY, call, device, event, postBulk, user } from '../client.js'

let simulator: Simulator
beforeEach(async () => {
  simulator = await startSimulator({ workspaces: { [APP]: KEY } })
})
afterEach(() => simulator.close())

test('elements of a customer are kept in order of arrival, byte for byte', async () => {
  const raw = [
    '{"type":"event","customer_id":"anna","actions":[{"action":"a","attributes":{"n":12345678901234567890}}]}',
    '{ "type":"customer", "customer_id":"anna","attributes":{"p":1.10,"e":1E2,"s":"\\u00e9"} }',
  ]
  const [first = '', second = ''] = raw
  const body = `{"type":"transition","elements":[${first}, ${second} ]}`
  await call(`${simulator.url}/v1/transition/${APP}`, { headers: GOOD_HEADERS, body })
  const own = '{"type":"event","customer_id":"anna","actions":[{"action":"b"}]}'
  await call(`${simulator.url}/v1/event/${APP}`, { headers: GOOD_HEADERS, body: ` ${own} ` })
  const kept = simulator.record.ofCustomer(APP, 'anna').map((e) => e.raw.toString())
  expect(kept).toEqual([first, second, own])
})

test('totals, costs, sizes and statuses are exact', async () => {
  await postBulk(simulator.url, [user('anna'), device('anna'), event('bert', 1, 3)])
  await postBulk(simulator.url, [{ type: 'x' }])
  const { totals, statuses, bodyBytes } = simulator.record
  expect(totals).toMatchObject({ requests: 2, accepted: 1, refused: 1, elements: 3 })
  expect(totals).toMatchObject({ users: 1, devices: 1, events: 3 })
  expect([...statuses]).toEqual([
    [200, 1],
    [400, 1],
  ])
  expect(bodyBytes.summary().count).toBe(1)
  expect(simulator.budgets()[0]).toMatchObject({
    appId: APP,
    users: { used: 2, peak: 2, limit: 5000 },
    events: { used: 3, peak: 3, limit: 20_000 },
  })
})

test('the same element twice is one duplicate', async () => {
  await postBulk(simulator.url, [event('anna', 1), event('anna', 2)])
  await postBulk(simulator.url, [event('anna', 2)])
  expect(simulator.record.totals.duplicates).toBe(1)
})

test('over the limit nothing is counted and the next that fits is accepted', async () => {
  simulator.configure({ usersPerWindow: 2, eventsPerWindow: 3 })
  expect((await postBulk(simulator.url, [user('a1'), user('a2'), user('a3')])).status).toBe(429)
  expect((await postBulk(simulator.url, [user('a1'), event('a1', 1, 3)])).status).toBe(200)
  expect((await postBulk(simulator.url, [user('a2'), event('a1', 1, 1)])).status).toBe(429)
  expect((await postBulk(simulator.url, [device('a2')])).status).toBe(200)
  expect(simulator.budgets()[0]).toMatchObject({
    users: { used: 2, peak: 2, peakArrived: 6 },
    events: { used: 3, peak: 3, peakArrived: 4 },
  })
})

test('limits that are not enforced are still measured', async () => {
  simulator.configure({ usersPerWindow: 1, enforceLimits: false })
  expect((await postBulk(simulator.url, [user('a1'), user('a2')])).status).toBe(200)
  expect(simulator.budgets()[0]?.users.peak).toBe(2)
})

test('counts mode counts everything and keeps no element', async () => {
  const counting = await startSimulator({ workspaces: { [APP]: KEY }, record: 'counts' })
  await postBulk(counting.url, [user('anna'), event('anna', 1, 2)])
  expect(counting.record.totals).toMatchObject({ elements: 2, users: 1, events: 2 })
  expect(counting.record.elements.last).toBe(0)
  await counting.close()
})

test('sizes mode takes every body that fits and notes its size alone', async () => {
  const blind = await startSimulator({ workspaces: { [APP]: KEY }, record: 'sizes' })
  expect((await postBulk(blind.url, [{ type: 'nonsense' }])).status).toBe(200)
  expect((await postBulk(blind.url, [], { body: ' '.repeat(128_001) })).status).toBe(413)
  expect(blind.record.totals).toMatchObject({ accepted: 1, refused: 1, elements: 0 })
  expect(blind.record.bodyBytes.summary().count).toBe(1)
  await blind.close()
})

test('memory is bounded: the newest elements are held, totals stay exact', async () => {
  const small = await startSimulator({ workspaces: { [APP]: KEY }, recordMaxElements: 3 })
  await postBulk(small.url, [event('anna', 1), event('anna', 2), event('bert', 3)])
  await postBulk(small.url, [event('bert', 4), event('bert', 5)])
  expect(small.record.totals.elements).toBe(5)
  expect(small.record.elements.after(0, 10).map((e) => e.seq)).toEqual([3, 4, 5])
  expect(small.record.ofCustomer(APP, 'anna')).toEqual([])
  expect(small.record.customerCount).toBe(1)
  await small.close()
})

test('a ring holds the newest items under their numbers', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.nat(40),
      fc.nat(45),
      (capacity, count, since) => {
        const ring = new Ring<number>(capacity)
        for (let i = 1; i <= count; i += 1) ring.push(i)
        const all = Array.from({ length: count }, (_, i) => i + 1).slice(-capacity)
        expect(ring.after(0, 100)).toEqual(all)
        expect(ring.after(since, 2)).toEqual(all.filter((i) => i > since).slice(0, 2))
        expect(ring.get(since)).toBe(all.find((i) => i === since))
      },
    ),
  )
})

describe('overlapping requests of one customer', () => {
  test('are found as brute force finds them', () => {
    const requests = fc.array(
      fc.record({
        start: fc.integer({ min: 0, max: 50 }),
        length: fc.integer({ min: 1, max: 20 }),
        customers: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(requests, (list) => {
        const all = [...list].sort((x, y) => x.start - y.start)
        const watch = new OverlapWatch()
        const moments = all.flatMap((request, i) => [
          { at: request.start, order: 1, i },
          { at: request.start + request.length, order: 0, i },
        ])
        const open = new Map<number, ReturnType<OverlapWatch['begin']>>()
        for (const { at, order, i } of moments.sort((x, y) => x.at - y.at || x.order - y.order)) {
          const known = open.get(i)
          if (order === 0 && known !== undefined) watch.end(known, at)
          if (order === 0) continue
          const request = watch.begin(String(i), at)
          open.set(i, request)
          watch.carries(request, 'app', new Set(all[i]?.customers))
        }
        const pairs = all.flatMap((request, i) =>
          request.customers.filter((customer) =>
            all
              .slice(0, i)
              .some((o) => o.customers.includes(customer) && o.start + o.length > request.start),
          ),
        )
        expect(watch.overlaps).toBe(pairs.length)
      }),
    )
  })

  test('are found although the earlier one ended before the later was read', () => {
    const watch = new OverlapWatch()
    const first = watch.begin('1', 0)
    watch.carries(first, 'app', new Set(['anna']))
    const second = watch.begin('2', 5)
    watch.end(first, 6)
    watch.carries(second, 'app', new Set(['anna']))
    expect(watch.overlaps).toBe(1)
  })
})

test('until waits for what is still to come, and says what there is when it does not come', async () => {
  const seen = simulator.until((record) => record.totals.elements === 2)
  await postBulk(simulator.url, [user('anna')])
  await postBulk(simulator.url, [user('anna')])
  await seen
  await expect(simulator.until(() => false, 1)).rejects.toThrow('"elements":2')
})

test('a reset forgets the record and the peaks, not what the windows hold', async () => {
  await postBulk(simulator.url, [user('anna')])
  simulator.reset()
  expect(simulator.record.totals.requests).toBe(0)
  expect(simulator.budgets()[0]?.users.used).toBe(1)
})
