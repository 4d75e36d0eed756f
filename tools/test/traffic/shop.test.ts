import { elementsDue, shopElements } from '../../src/traffic/shop.js'
import { readOptions } from '../../src/traffic/options.js'

const elements = shopElements(20_000, { seed: 1 })

test('the same seed gives the same traffic, another seed another', () => {
  expect(shopElements(500, { seed: 1 })).toEqual(elements.slice(0, 500))
  expect(shopElements(500, { seed: 2 })).not.toEqual(elements.slice(0, 500))
})

test('events are 150 to 900 bytes', () => {
  const sizes = elements
    .filter((e) => e.type === 'event')
    .map((e) => Buffer.byteLength(JSON.stringify(e)))
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(150)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(900)
})

test('a customer signs up before anything else is heard of them, devices follow', () => {
  const known = new Set<string>()
  for (const { type, customer_id: id } of elements) {
    if (!known.has(id)) expect(type).toBe('customer')
    known.add(id)
  }
  expect(known.size).toBeGreaterThan(500)
})

test('customers are skewed: the busiest tenth makes more than a third of the traffic', () => {
  const counts = new Map<string, number>()
  for (const { customer_id: id } of elements) counts.set(id, (counts.get(id) ?? 0) + 1)
  const sorted = [...counts.values()].sort((a, b) => b - a)
  const top = sorted.slice(0, Math.ceil(sorted.length / 10))
  expect(top.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(elements.length / 3)
})

test('all the shop does occurs', () => {
  const actions = new Set(
    elements.flatMap((e) => ((e.actions ?? []) as { action: string }[]).map((a) => a.action)),
  )
  for (const action of ['Product Viewed', 'Searched', 'Added to Cart', 'Order Placed']) {
    expect(actions).toContain(action)
  }
  expect(new Set(elements.map((e) => e.type))).toEqual(new Set(['customer', 'device', 'event']))
})

test('events carry the time of the clock that is given', () => {
  const [event] = shopElements(50, { seed: 1, nowMs: () => 0 }).filter((e) => e.type === 'event')
  expect(event?.actions).toMatchObject([{ current_time: '1970-01-01T00:00:00.000Z' }])
})

test('bursts do not change the mean rate', () => {
  expect(elementsDue(0, 100)).toBe(0)
  expect(elementsDue(200_000, 100)).toBe(20_000)
  const burst = elementsDue(20_000, 100) - elementsDue(19_000, 100)
  const calm = elementsDue(11_000, 100) - elementsDue(10_000, 100)
  expect(burst).toBeGreaterThan(3 * calm)
})

test('the command line is read whole: every problem at once', () => {
  const bad = readOptions(['--rate', 'much', '--lane', 'slow'])
  expect('problems' in bad && bad.problems).toHaveLength(4)
  const good = readOptions(['--app-id', 'A', '--secret', 's', '--duration', '2', '--posts-of', '5'])
  expect(readOptions(['--app-id', 'A'], { RELAY_PRODUCER_SECRET: 's' })).toMatchObject({
    options: { secret: 's' },
  })
  expect(good).toMatchObject({
    options: { appId: 'A', durationMs: 2000, postsOf: 5, rate: 50, lane: 'realtime' },
  })
})
