import { Agent } from 'node:http'
import type { FaultInput } from '../../src/faults.js'
import { startSimulator, type Simulator } from '../../src/simulator.js'
import { APP, KEY, event, postBulk, user } from '../client.js'

let simulator: Simulator
beforeEach(async () => {
  simulator = await startSimulator({ workspaces: { [APP]: KEY } })
})
afterEach(() => simulator.close())

const post = (elements: readonly unknown[] = [event('anna')]) => postBulk(simulator.url, elements)
const taken = () => simulator.record.totals.elements

describe('a scripted fault', () => {
  test('status: answers with status, headers and body, and processes nothing', async () => {
    const headers = { 'x-from': 'proxy' }
    simulator.addFault({ action: { kind: 'status', status: 502, headers, body: '<h1>bad</h1>' } })
    const reply = await post()
    expect(reply).toMatchObject({ status: 502, text: '<h1>bad</h1>' })
    expect(reply.headers['x-from']).toBe('proxy')
    expect(taken()).toBe(0)
  })

  test('status, processed: the elements are taken although the answer is an error', async () => {
    simulator.addFault({ action: { kind: 'status', status: 500, processed: true } })
    expect((await post()).status).toBe(500)
    expect(taken()).toBe(1)
  })

  test('rate_limit: 429 with Retry-After', async () => {
    simulator.addFault({ action: { kind: 'rate_limit', retryAfterSeconds: 4 } })
    const reply = await post()
    expect(reply.status).toBe(429)
    expect(reply.headers['retry-after']).toBe('4')
  })

  test.each([
    ['at the start', { kind: 'reset', at: 'start' }, 0],
    ['instead of arriving', { kind: 'reset', at: 'arrival' }, 0],
    ['instead of answering', { kind: 'reset', at: 'answer' }, 1],
    ['after a hang', { kind: 'hang', maxMs: 5 }, 0],
    ['after a hang that processed', { kind: 'hang', maxMs: 5, processed: true }, 1],
  ] as const)('the connection is reset %s', async (_, action, elements) => {
    simulator.addFault({ action })
    await expect(post()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(taken()).toBe(elements)
  })

  test('garbage: a 200 that is no answer, elements taken', async () => {
    simulator.addFault({ action: { kind: 'garbage', body: '<html>' } })
    expect(await post()).toMatchObject({ status: 200, text: '<html>' })
    expect(taken()).toBe(1)
  })

  test('drip: the whole answer, in pieces', async () => {
    simulator.addFault({ action: { kind: 'drip', bytes: 40, everyMs: 1 } })
    const reply = await post()
    expect(JSON.parse(reply.text)).toMatchObject({ status: 'success' })
  })

  test('refuse: 400 for requests with a matching element, naming the attribute', async () => {
    simulator.addFault({
      when: { path: 'actions.attributes.n', equals: 13 },
      action: { kind: 'refuse' },
    })
    expect((await post([event('anna', 12), event('bert', 14)])).status).toBe(200)
    const reply = await post([event('anna', 12), event('bert', 13)])
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { attribute: 'n' } })
    expect(taken()).toBe(2)
  })

  test('refuse under silent validation: 200, the matching element is dropped', async () => {
    simulator.configure({ validation: 'silent' })
    simulator.addFault({
      when: { path: 'customer_id', contains: 'er' },
      action: { kind: 'refuse' },
    })
    expect((await post([event('anna'), event('bert'), { type: 'nonsense' }])).status).toBe(200)
    expect(simulator.record.totals).toMatchObject({ elements: 1, droppedElements: 2 })
  })

  test('body_ceiling: 413 above it, with the body limit of the vendor otherwise', async () => {
    simulator.addFault({ action: { kind: 'body_ceiling', bytes: 500 } })
    expect((await post()).status).toBe(200)
    expect((await post(Array.from({ length: 9 }, () => event('anna')))).status).toBe(413)
  })

  const cases: readonly [string, Partial<FaultInput>, number[]][] = [
    ['the next two requests', { count: 2 }, [500, 500, 200]],
    ['requests of a workspace', { appId: 'OTHER' }, [200]],
    ['requests of an endpoint', { endpoint: 'event' }, [200]],
    ['requests with a matching element', { when: { path: 'customer_id', equals: 'bert' } }, [200]],
  ]
  test.each(cases)('can be limited to %s', async (_, limits, statuses) => {
    simulator.addFault({ ...limits, action: { kind: 'answer', row: 'server_error' } })
    for (const status of statuses) expect((await post()).status).toBe(status)
  })

  test('with a probability falls on that share, the same for the same seed', async () => {
    const run = async () => {
      const other = await startSimulator({ workspaces: { [APP]: KEY }, seed: 7 })
      other.addFault({ probability: 0.5, action: { kind: 'answer', row: 'server_error' } })
      const agent = new Agent({ keepAlive: true })
      const statuses: number[] = []
      for (let i = 0; i < 60; i += 1) {
        statuses.push((await postBulk(other.url, [event('anna')], { agent })).status)
      }
      agent.destroy()
      await other.close()
      return statuses
    }
    const first = await run()
    const failed = first.filter((status) => status === 500).length
    expect(failed).toBeGreaterThan(15)
    expect(failed).toBeLessThan(45)
    expect(await run()).toEqual(first)
  })

  test('ends when its time is over or when it is removed', async () => {
    const clock = { atMs: 0, nowMs: () => clock.atMs, monotonicMs: () => clock.atMs }
    const timed = await startSimulator({ workspaces: { [APP]: KEY } }, clock)
    timed.addFault({ durationMs: 100, action: { kind: 'answer', row: 'server_error' } })
    clock.atMs = 99
    expect((await postBulk(timed.url, [event('anna')])).status).toBe(500)
    clock.atMs = 100
    expect((await postBulk(timed.url, [event('anna')])).status).toBe(200)
    const id = timed.addFault({ action: { kind: 'answer', row: 'server_error' } })
    expect(timed.faults.remove(id)).toBe(true)
    expect((await postBulk(timed.url, [event('anna')])).status).toBe(200)
    await timed.close()
  })
})

describe('latency and closed connections', () => {
  const abandon = async (elements: readonly unknown[]) => {
    const agent = new Agent()
    const sent = postBulk(simulator.url, elements, { agent })
    while ((simulator.record.requests.get(1)?.bytes ?? 0) === 0) await new Promise(setImmediate)
    agent.destroy()
    await expect(sent).rejects.toThrow()
  }
  const fate = () => simulator.record.requests.get(1)?.fate

  test('a connection closed before arrival takes its request along', async () => {
    simulator.configure({ latency: { beforeMs: 600_000 } })
    await abandon([user('anna')])
    await simulator.until(() => fate() !== 'open')
    expect(fate()).toBe('dropped')
    expect(taken()).toBe(0)
  })

  test('or not, when so configured', async () => {
    simulator.configure({ latency: { beforeMs: 300 }, closedBeforeArrival: 'process' })
    await abandon([user('anna')])
    await simulator.until(() => fate() !== 'open')
    expect(fate()).toBe('accepted')
  })

  test('a request that arrived is processed although the connection closes', async () => {
    simulator.configure({ latency: { afterMs: 10_000 } })
    const agent = new Agent()
    const sent = postBulk(simulator.url, [user('anna')], { agent })
    await simulator.until(() => fate() === 'accepted')
    agent.destroy()
    await expect(sent).rejects.toThrow()
    expect(taken()).toBe(1)
  })
})
