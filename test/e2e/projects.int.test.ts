import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { APP_ID, Relay } from '../support/relay.js'

const PROJECTS = [undefined, 'EU', 'US & CA'] as const

/** A dead letter of one of four customers, each of which belongs to every project in turn. */
function letter(n: number): DeadLetter {
  const customer = `customer-${n % 4}`
  const projectCode = PROJECTS[n % 3]
  const element = { type: 'event', customer_id: customer, actions: [{ action: 'a', attributes: { n } }] } // prettier-ignore
  return {
    id: `${APP_ID}.realtime.0.0.${n}.0`,
    ...{ appId: APP_ID, lane: 'realtime', kind: 'event', cost: 1, posted: 1 },
    customer: Buffer.from(customer.slice(-8)).toString('hex'),
    element: JSON.stringify(element),
    reason: 'element_refused',
    answer: { status: 400, type: 'TypeError', message: 'no', attribute: null },
    attempts: 1,
    requestId: '01JDBX3K5NPQRS000000000000',
    ...(projectCode === undefined ? {} : { projectCode }),
    acceptedAtMs: 1_700_000_000_000 + n,
    deadAtMs: 1_700_000_000_000 + n,
  }
}

describe('elements of several projects', () => {
  let relay: Relay
  let client: RedisClient

  beforeAll(async () => {
    relay = await Relay.start({
      env: { MOENGAGE_FORWARDED_FOR: '203.0.113.7' },
      simulator: { allowedIps: ['203.0.113.7'] },
    })
    client = connectRedis({ mode: 'single', url: relay.redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => client.once('ready', resolve))
  })
  afterAll(async () => {
    client.disconnect()
    await relay.stop()
  })

  test('leave in requests of one project, from a replay on, in the order of their customers', async () => {
    const { simulator } = relay
    const letters = Array.from({ length: 48 }, (_, n) => letter(n))
    await new DeadLetterStore(client, relay.env.RELAY_PREFIX ?? '').add(letters)
    const listed = (await relay.deadLetters()) as unknown as { project_code?: string }[]
    expect(new Set(listed.map((shown) => shown.project_code))).toEqual(new Set(PROJECTS))
    await relay.operate('POST', 'dead-letters/replay', { app_id: APP_ID })
    await simulator.until(({ totals }) => totals.events >= 48, 20_000)
    const { record } = simulator
    const arrived = record.elements.after(0, 100).map(({ raw, projectCode }) => {
      const { actions } = JSON.parse(raw.toString()) as { actions: { attributes: { n: number } }[] }
      return { numbers: actions.map(({ attributes }) => attributes.n), projectCode }
    })
    for (const { numbers, projectCode } of arrived) {
      for (const n of numbers) expect(PROJECTS[n % 3]).toBe(projectCode ?? undefined)
    }
    for (let customer = 0; customer < 4; customer += 1) {
      const own = arrived.flatMap(({ numbers }) => numbers).filter((n) => n % 4 === customer)
      expect(own).toEqual(Array.from({ length: 12 }, (_, i) => i * 4 + customer))
    }
    expect(record.overlap.overlaps).toBe(0)
  }, 30_000)

  test('leave as they were posted: every kind of post, one project a request, in the order of a customer', async () => {
    const { simulator } = relay
    const before = simulator.record.elements.last
    const customers = ['ann', 'bob', 'cem']
    const posted: [string, string | null][] = []
    for (let n = 0; n < 60; n += 1) {
      const projectCode = [null, 'EU', 'US&CA'][Math.floor(n / 2) % 3] ?? null
      const query = projectCode === null ? '' : `?project_code=${encodeURIComponent(projectCode)}`
      const id = customers[n % 3] ?? ''
      const event = { type: 'event', customer_id: id, actions: [{ action: 'Viewed', attributes: { n } }] } // prettier-ignore
      const user = { type: 'customer', customer_id: id, attributes: { [`n${n}`]: n } }
      const [path, body] =
        n % 2 === 0
          ? [`/v1/event/${APP_ID}${query}`, event]
          : [`/v1/transition/${APP_ID}${query}`, { type: 'transition', elements: [user] }]
      expect((await relay.post(path, body)).status).toBe(200)
      posted.push([id, projectCode])
    }
    const lines = customers.map((id) => JSON.stringify({ type: 'customer', customer_id: `${id}-imported`, attributes: { n: 1 } })) // prettier-ignore
    const path = `/v1/import/${APP_ID}?project_code=EU`
    const imported = await relay.post(path, `${lines.join('\n')}\n`, {
      'Content-Type': 'application/x-ndjson',
    })
    expect(imported.status).toBe(200)
    const numbersOf = (raw: Buffer) => raw.toString().match(/(?<="n\d*":)\d+/g) ?? []
    const arrivals = () =>
      simulator.record.elements.after(before, 1_000).map(({ raw, projectCode }) => {
        const { customer_id: id } = JSON.parse(raw.toString()) as { customer_id: string }
        return { id, numbers: numbersOf(raw).map(Number), projectCode }
      })
    await simulator.until(() => arrivals().flatMap(({ numbers }) => numbers).length >= 63, 20_000)
    const own = arrivals().filter(({ id }) => customers.includes(id))
    for (const id of customers) {
      const inOrder = own.filter((arrival) => arrival.id === id)
      const expected = [...posted.keys()].filter((n) => posted[n]?.[0] === id)
      expect(inOrder.flatMap(({ numbers }) => numbers)).toEqual(expected)
      for (const { numbers, projectCode } of inOrder) {
        for (const n of numbers) expect(projectCode ?? null).toBe(posted[n]?.[1])
      }
    }
    const others = arrivals().filter(({ id }) => !customers.includes(id))
    expect(others.map(({ projectCode }) => projectCode)).toEqual(['EU', 'EU', 'EU'])
    for (const wrong of ['', '%20', 'a&project_code=b']) {
      const { status } = await relay.post(`/v1/event/${APP_ID}?project_code=${wrong}`, {})
      expect(status).toBe(400)
    }
  }, 30_000)
})
