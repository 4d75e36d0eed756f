import { rename, writeFile } from 'node:fs/promises'
import { temporaryFolder } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { API_KEY, APP_ID, Relay } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

function arrivedOf(relay: Relay, customer: string): number[] {
  return relay.simulator.record
    .ofCustomer(APP_ID, customer)
    .flatMap(({ raw }) => numbersOf(raw.toString()))
}

describe('one relay, in operation', () => {
  let relay: Relay

  beforeAll(async () => {
    relay = await Relay.start()
  })
  afterAll(() => relay.stop())

  test('with Redis away a post is refused within a second, and accepted once it is back', async () => {
    expect((await relay.postElements([numberedEvent('before', 0)])).status).toBe(200)
    relay.redis.pause()
    try {
      for (let i = 0; i < 3; i += 1) {
        const startedMs = performance.now()
        const answer = await relay.postElements([numberedEvent('away', i)])
        expect(performance.now() - startedMs).toBeLessThan(1_000)
        expect(answer.status).toBe(503)
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      }
    } finally {
      relay.redis.resume()
    }
    await waitFor(
      async () => (await relay.postElements([numberedEvent('back', 0)])).status === 200,
      { what: 'posts to be accepted again' },
    )
    await waitFor(() => arrivedOf(relay, 'back').length > 0, { what: 'the delivery' })
  })

  test('20 parallel posts with one key are one delivery, and later ones get the same answer', async () => {
    const headers = { 'Idempotency-Key': 'order-1' }
    const elements = [numberedEvent('keyed', 1), numberedEvent('keyed', 2)]
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => relay.postElements(elements, headers)),
    )
    const accepted = answers.filter(({ status }) => status === 200)
    expect(accepted.length).toBeGreaterThan(0)
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true)
    expect(new Set(accepted.map(({ body }) => body)).size).toBe(1)
    const again = await relay.postElements(elements, headers)
    expect(again).toMatchObject({ status: 200, body: accepted[0]?.body })
    expect(again.headers['idempotency-replayed']).toBe('true')
    const { status } = await relay.postElements([numberedEvent('keyed', 3)], headers)
    const invalid = await relay.post(`/v1/transition/${APP_ID}`, '{', headers)
    expect([status, invalid.status]).toEqual([422, 422])
    // What is posted last arrives last: nothing of the others is on its way then.
    expect((await relay.postElements([numberedEvent('keyed', 4)])).status).toBe(200)
    await waitFor(() => arrivedOf(relay, 'keyed').includes(4), { what: 'the delivery' })
    expect(arrivedOf(relay, 'keyed')).toEqual([1, 2, 4])
  })

  test('the operator pauses and resumes a workspace; the intake still accepts', async () => {
    await relay.pause()
    const { requests } = relay.simulator.record.totals
    expect((await relay.postElements([numberedEvent('paused', 1)])).status).toBe(200)
    const overview = await relay.operate('GET', 'workspaces')
    expect(JSON.parse(overview.body)).toMatchObject({ workspaces: [{ state: 'paused' }] })
    expect(relay.simulator.record.totals.requests).toBe(requests)
    await relay.resume()
    await waitFor(() => arrivedOf(relay, 'paused').length > 0, {
      what: 'the delivery',
      timeoutMs: 3_000,
    })
    expect(arrivedOf(relay, 'paused')).toEqual([1])
  })

  test('a worker that only waits, at a paused gate, ends at once and leaves nothing behind', async () => {
    const [worker] = relay.workers
    const pauses = () => worker?.logs().filter((line) => line.paused === true).length ?? 0
    const before = pauses()
    await relay.pause()
    await relay.postElements([numberedEvent('waiting', 1)])
    await waitFor(() => pauses() > before, { what: 'the worker to know of the pause' })
    const startedMs = performance.now()
    expect(await worker?.stop(10_000)).toMatchObject({ code: 0 })
    expect(performance.now() - startedMs).toBeLessThan(3_000)
    await relay.addWorker()
    await relay.resume()
    await waitFor(() => arrivedOf(relay, 'waiting').length > 0, {
      what: 'the delivery',
      timeoutMs: 3_000,
    })
    expect(arrivedOf(relay, 'waiting')).toEqual([1])
  })
})

describe('a relay that changes', () => {
  test('SIGTERM ends both services with status 0, and the next worker continues', async () => {
    const relay = await Relay.start({ simulator: { latency: { beforeMs: 200, afterMs: 200 } } })
    try {
      const elements = Array.from({ length: 400 }, (_, i) => numberedEvent('handed-over', i))
      await relay.postElements(elements)
      await relay.simulator.until((record) => record.overlap.open > 0)
      expect(await relay.workers[0]?.stop(15_000)).toMatchObject({ code: 0 })
      await relay.postElements([numberedEvent('handed-over', 400)])
      await relay.addWorker()
      await relay.simulator.until((record) => record.totals.events >= 401)
      expect(arrivedOf(relay, 'handed-over')).toEqual(Array.from({ length: 401 }, (_, i) => i))
      expect(await relay.api.stop(15_000)).toMatchObject({ code: 0 })
    } finally {
      await relay.stop()
    }
  })

  test('a key fixed in the workspaces file ends the hold at once', async () => {
    const folder = await temporaryFolder('workspaces')
    const file = `${folder}/workspaces.json`
    const write = async (baseUrl: string, apiKey: string): Promise<void> => {
      const workspaces = [{ appId: APP_ID, apiKey, baseUrl }]
      await writeFile(`${file}.new`, JSON.stringify({ workspaces }))
      await rename(`${file}.new`, file)
    }
    await write('http://127.0.0.1:9', 'not-yet')
    const relay = await Relay.start({
      env: {
        RELAY_WORKSPACES_FILE: file,
        MOENGAGE_APP_ID: '',
        MOENGAGE_API_KEY: '',
        MOENGAGE_BASE_URL: '',
      },
    })
    try {
      await write(relay.simulator.url, 'wrong-key')
      await relay.postElements([numberedEvent('fixed', 1)])
      await relay.simulator.until((record) => (record.statuses.get(401) ?? 0) >= 3, 20_000)
      await write(relay.simulator.url, API_KEY)
      await relay.simulator.until((record) => record.totals.events > 0, 3_000)
    } finally {
      await relay.stop()
    }
  })

  test('another number of partitions is applied under load, losing and reordering nothing', async () => {
    const relay = await Relay.start({ workers: 1, simulator: { latency: { afterMs: 50 } } })
    const customers = Array.from({ length: 20 }, (_, i) => `moved-${i}`)
    const posted = new Map<string, number>()
    let stop = false
    const producers = customers.map(async (customer) => {
      for (let n = 0; !stop; n += 1) {
        const headers = { 'Idempotency-Key': `${customer}-${n}` }
        await waitFor(
          async () =>
            (await relay.postElements([numberedEvent(customer, n)], headers)).status === 200,
          { what: `post ${n} of ${customer}` },
        )
        posted.set(customer, n + 1)
      }
    })
    try {
      await relay.simulator.until((record) => record.totals.events > 200)
      await relay.addWorker({ RELAY_PARTITIONS: '3' })
      await relay.workers[0]?.stop()
      const before = relay.simulator.record.totals.events
      await relay.simulator.until((record) => record.totals.events > before + 400, 20_000)
      stop = true
      await Promise.all(producers)
      const total = [...posted.values()].reduce((sum, count) => sum + count, 0)
      await relay.simulator.until((record) => record.totals.events >= total, 20_000)
      for (const customer of customers) {
        const count = posted.get(customer) ?? 0
        expect(arrivedOf(relay, customer)).toEqual(Array.from({ length: count }, (_, i) => i))
      }
    } finally {
      stop = true
      await Promise.allSettled(producers)
      await relay.stop()
    }
  })
})

test('a wrong configuration is told as a whole, with exit code 78', async () => {
  for (const service of ['api', 'worker']) {
    const child = await startChild({
      name: service,
      entry: new URL(`../../services/${service}/dist/main.js`, import.meta.url).pathname,
      env: { MOENGAGE_APP_ID: 'A', RELAY_LEASE_MS: 'soon', RELAY_PARTITIONS: '0' },
    })
    expect(await child.exited).toMatchObject({ code: 78 })
    const words = child.lastLines().join('\n')
    for (const name of [
      'MOENGAGE_API_KEY',
      'MOENGAGE_BASE_URL',
      'RELAY_LEASE_MS',
      'RELAY_PARTITIONS',
    ]) {
      expect(words).toContain(name)
    }
  }
})

test('one port for the intake and the operators is a wrong configuration', async () => {
  const child = await startChild({
    name: 'api',
    entry: new URL('../../services/api/dist/main.js', import.meta.url).pathname,
    env: {
      ...{ MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_BASE_URL: 'http://127.0.0.1:9' },
      PORT: '9464',
    },
  })
  expect(await child.exited).toMatchObject({ code: 78 })
  expect(child.lastLines().join('\n')).toContain('OPS_PORT: is also PORT')
})
