import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { APP_ID, Relay } from '../support/relay.js'

const PROJECTS = [undefined, 'EU', 'US & CA'] as const

/** A dead letter of one of four customers, each of which belongs to every project in turn. */
function letter(n: number): DeadLetter {
  const customer = `customer-${String(n % 4)}`
  const projectCode = PROJECTS[n % 3]
  const element = { type: 'event', customer_id: customer, actions: [{ action: 'a', attributes: { n } }] } // prettier-ignore
  return {
    id: `${APP_ID}.realtime.0.0.${String(n)}.0`,
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
    await new DeadLetterStore(client, relay.env.RELAY_PREFIX ?? '').bury(letters)
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
})
