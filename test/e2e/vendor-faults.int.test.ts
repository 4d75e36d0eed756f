import { waitFor } from '@relay/tools/wait-for.js'
import { MAX_BODY_BYTES } from '@relay/shared/vendor/limits.js'
import { APP_ID, Relay } from '../support/relay.js'
import { marksIn, numberedEvent, numberedUser, numbersOf } from '../support/shop.js'

/** Elements so far, so that every test's numbers are its own. */
let next = 0

async function post(relay: Relay, count: number, customers = 20): Promise<number> {
  const elements = Array.from({ length: count }, (_, i) =>
    numberedEvent(`c-${i % customers}`, next + i),
  )
  next += count
  await relay.postAll(elements)
  return count
}

/** All that the simulator got, in the order in which they began. */
function requestsOf({ simulator }: Relay) {
  const { requests } = simulator.record
  return requests.after(0, requests.capacity)
}

async function state(relay: Relay): Promise<string> {
  const answer = await relay.operate('GET', 'workspaces')
  const { workspaces } = JSON.parse(answer.body) as { workspaces: { state: string }[] }
  return workspaces[0]?.state ?? ''
}

describe('what MoEngage does wrong', () => {
  let relay: Relay

  beforeEach(async () => {
    relay = await Relay.start({
      workers: 2,
      env: { RELAY_REQUEST_TIMEOUT_MS: '2000', RELAY_ARRIVAL_GRACE_MS: '500' },
    })
  })

  afterEach(async () => {
    await relay.stop()
  })

  test('an outage of 15 s costs few requests, loses nothing and dead-letters nothing', async () => {
    const { simulator } = relay
    simulator.addFault({
      durationMs: 15_000,
      probability: 0.5,
      action: { kind: 'answer', row: 'server_error' },
    })
    simulator.addFault({ durationMs: 15_000, action: { kind: 'hang' } })
    const endsAtMs = performance.now() + 15_000
    let posted = await post(relay, 600)
    await waitFor(() => performance.now() > endsAtMs - 200, {
      what: 'the outage to pass',
      timeoutMs: 20_000,
    })
    expect(simulator.record.totals.requests).toBeLessThanOrEqual(60)
    posted += await post(relay, 200)
    await simulator.until((record) => record.totals.events >= posted, 17_000)
    expect(performance.now() - endsAtMs).toBeLessThanOrEqual(15_000)
    expect(await relay.deadLetters()).toHaveLength(0)
  })

  test('a refused key is held, probed gently, and resumes by itself', async () => {
    const { simulator } = relay
    simulator.addFault({
      durationMs: 8_000,
      action: { kind: 'answer', row: 'app_secret_mismatch' },
    })
    const startedMs = performance.now()
    const posted = await post(relay, 100)
    await waitFor(async () => (await state(relay)) === 'held', { what: 'the hold to be seen' })
    await simulator.until((record) => record.totals.events >= posted, 25_000)
    // What began before the first refusal was read were no probes yet.
    const [first, ...others] = requestsOf(relay).filter(({ status }) => status === 401)
    const probes = others.filter(({ startedAtMs }) => startedAtMs > (first?.endedAtMs ?? Infinity))
    expect(probes.length).toBeGreaterThan(0)
    for (const { startedAtMs } of probes) {
      const within = probes.filter((p) => p.startedAtMs >= startedAtMs && p.startedAtMs < startedAtMs + 1_000) // prettier-ignore
      expect(within.length).toBeLessThanOrEqual(2)
    }
    expect(performance.now() - startedMs).toBeGreaterThan(7_000)
    expect(await relay.deadLetters()).toHaveLength(0)
  })

  test('Retry-After is kept to the letter', async () => {
    const { simulator } = relay
    simulator.addFault({ count: 1, action: { kind: 'rate_limit', retryAfterSeconds: 4 } })
    const posted = await post(relay, 300)
    await simulator.until((record) => record.totals.events >= posted, 15_000)
    const all = requestsOf(relay)
    const refusedAtMs = all.find(({ status }) => status === 429)?.endedAtMs ?? NaN
    const laterMs = all
      .map(({ startedAtMs }) => startedAtMs - refusedAtMs)
      .filter((ms) => ms >= 1_000)
      .sort((a, b) => a - b)
    expect(laterMs[0]).toBeGreaterThanOrEqual(4_000)
    expect(laterMs[0]).toBeLessThanOrEqual(6_000)
  })

  test('a new ceiling of 60,000 bytes is learnt with at most 8 refusals', async () => {
    const { simulator } = relay
    simulator.configure({ maxBodyBytes: 60_000 })
    const posted = await post(relay, 3_000)
    await simulator.until((record) => record.totals.events >= posted, 30_000)
    expect(simulator.record.statuses.get(413) ?? 0).toBeLessThanOrEqual(8)
    expect(await relay.deadLetters()).toHaveLength(0)
  })

  test('413 to everything for a while, as of a proxy, buries nothing and makes no body smaller afterwards', async () => {
    const { simulator } = relay
    simulator.addFault({ durationMs: 5_000, action: { kind: 'status', status: 413 } })
    await post(relay, 600)
    await waitFor(async () => (await state(relay)) === 'held', { what: 'the hold to be seen' })
    await simulator.until((record) => record.totals.events >= 600, 30_000)
    await relay.pause()
    await post(relay, 1_000)
    const before = requestsOf(relay).length
    await relay.resume()
    await simulator.until((record) => record.totals.events >= 1_600, 30_000)
    expect(await relay.deadLetters()).toEqual([])
    expect(requestsOf(relay).length - before).toBeLessThanOrEqual(20)
  })

  test('one 413 to a small body, as of a proxy, stops nothing', async () => {
    const { simulator } = relay
    simulator.addFault({ count: 1, action: { kind: 'status', status: 413 } })
    await relay.postAll([numberedUser('small', 1)])
    await relay.postAll(Array.from({ length: 50 }, (_, i) => numberedUser(`p-${i}`, i)))
    await simulator.until((record) => marksIn(record).size >= 51, 10_000)
    expect(await relay.deadLetters()).toEqual([])
  })

  test('a small element that is answered 413 makes no body smaller afterwards', async () => {
    const { simulator } = relay
    simulator.addFault({
      when: { path: 'attributes.poison', equals: true },
      action: { kind: 'status', status: 413 },
    })
    const { attributes, ...poison } = numberedUser('poison', 1)
    const bad = { ...poison, attributes: { ...(attributes as object), poison: true } }
    const good = Array.from({ length: 300 }, (_, i) => numberedUser(`p-${i}`, i))
    await relay.postAll([...good.slice(0, 150), bad, ...good.slice(150)])
    await simulator.until((record) => marksIn(record).size >= 300, 30_000)
    await waitFor(async () => (await relay.deadLetters()).length === 1, { what: 'the dead letter' })
    await relay.pause()
    await post(relay, 1_000)
    const before = requestsOf(relay).length
    await relay.resume()
    await simulator.until((record) => record.totals.events >= 1_000, 30_000)
    expect(requestsOf(relay).length - before).toBeLessThanOrEqual(20)
  })

  test('an element over a learned ceiling is dead-lettered, and delays no other', async () => {
    const { simulator } = relay
    simulator.configure({ maxBodyBytes: 60_000 })
    const posted = await post(relay, 3_000)
    await simulator.until((record) => record.totals.events >= posted, 30_000)
    const large = { ...numberedUser('large', 1), attributes: { text: 'x'.repeat(70_000) } }
    await relay.postAll([large])
    await post(relay, 40)
    await simulator.until((record) => record.totals.events >= posted + 40, 10_000)
    const letters = async () => (await relay.deadLetters()).map(({ reason }) => reason)
    await waitFor(async () => (await letters()).join() === 'too_large', { what: 'the dead letter' })
  })

  test('3 poison elements in 1,000 are dead-lettered, the other 997 delivered', async () => {
    const { simulator } = relay
    simulator.addFault({
      when: { path: 'attributes.poison', equals: true },
      action: { kind: 'refuse', type: 'AttributeError', message: 'value is not accepted' },
    })
    const elements = Array.from({ length: 1000 }, (_, i) => {
      const user = numberedUser(`p-${i % 100}`, i)
      if (![123, 456, 789].includes(i)) return user
      return { ...user, attributes: { ...(user.attributes as object), poison: true } }
    })
    // All of it waits before anything is sent, so that it is known how few requests would do.
    await relay.pause()
    await relay.postAll(elements)
    await relay.resume()
    await simulator.until((record) => marksIn(record).size >= 997, 30_000)
    await waitFor(async () => (await relay.deadLetters()).length === 3, {
      what: 'three dead letters',
    })
    const fullBodies = Math.ceil(JSON.stringify(elements).length / MAX_BODY_BYTES)
    const { requests } = simulator.record.totals
    process.stdout.write(`3 poison in 1,000: ${requests - fullBodies} extra requests\n`)
    expect(requests).toBeLessThanOrEqual(fullBodies + 40)
    for (let customer = 0; customer < 100; customer += 1) {
      const arrived = simulator.record
        .ofCustomer(APP_ID, `p-${customer}`)
        .flatMap(({ raw }) => numbersOf(raw.toString()))
      expect(arrived).toEqual([...arrived].sort((a, b) => a - b))
    }
  })
})
