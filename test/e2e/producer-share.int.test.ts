import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { createRequestId, producerTag } from '@relay/shared/request-id.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { temporaryFolder } from '@relay/tools/folders.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { API_KEY, APP_ID, Relay, SECRET, send, type Answer } from '../support/relay.js'
import { ownRedisIsPossible } from '../support/redis/test-redis.js'

const NEIGHBOUR = 'neighbour-secret'
/** Workspace in which the producer has a share of the backlog. */
const QUOTA_APP = 'QUOTA'
const ELEMENT = { type: 'event', customer_id: 'ann', actions: [{ action: 'seen' }] }
const AT_ONCE = 32

const ifPossible = ownRedisIsPossible ? describe : describe.skip

ifPossible('a producer at its share', () => {
  let relay: Relay
  let client: RedisClient

  beforeAll(async () => {
    const file = join(await temporaryFolder('share'), 'workspaces.json')
    relay = await Relay.start({
      workers: 0,
      // A tenth is 600 KB: about 2,000 keys.
      redis: { maxmemory: '6mb' },
      env: async ({ simulator }) => {
        const of = { apiKey: API_KEY, baseUrl: simulator.url }
        const quotas = { shop: { backlogShare: 0.005 } }
        const workspaces = [{ appId: QUOTA_APP, ...of, quotas }]
        await writeFile(file, JSON.stringify({ workspaces }))
        return {
          RELAY_WORKSPACES_FILE: file,
          RELAY_PRODUCERS: `shop:${SECRET},neighbour:${NEIGHBOUR}`,
          RELAY_MAX_BACKLOG_BYTES: '2000000',
        }
      },
    })
    client = connectRedis({ mode: 'single', url: relay.redis.url }, { commandTimeoutMs: 5_000 })
    await waitFor(() => client.status === 'ready', { what: 'a connection' })
  })
  afterAll(async () => {
    client.disconnect()
    await relay.stop()
  })

  const post = (secret: string, appId: string, headers = {}): Promise<Answer> => {
    const auth = `Basic ${Buffer.from(`${appId}:${secret}`).toString('base64')}`
    const body = { type: 'transition', elements: [ELEMENT] }
    return relay.post(`/v1/transition/${appId}`, body, { Authorization: auth, ...headers })
  }

  /** Posts until one is refused; the neighbour posts the same way beside it. Returns both outcomes. */
  async function untilRefused(appId: string, headers: (n: number) => object) {
    const beside = new Set<number>()
    let refused: Answer | undefined
    let sent = 0
    const producer = async () => {
      while (refused === undefined && sent < 10_000) {
        const answer = await post(SECRET, appId, headers(sent++))
        if (answer.status !== 200) refused = answer
      }
    }
    const neighbour = async () => {
      do beside.add((await post(NEIGHBOUR, appId, headers(-1 - sent))).status)
      while (refused === undefined && sent < 10_000)
      beside.add((await post(NEIGHBOUR, appId)).status)
    }
    await Promise.all([...Array.from({ length: AT_ONCE }, producer), neighbour()])
    return { refused, beside: [...beside] }
  }

  it('of Idempotency-Keys gets 429, and its neighbour is served', async () => {
    const keyed = (n: number) => ({ 'Idempotency-Key': `key ${n}` })
    const { refused, beside } = await untilRefused(APP_ID, keyed)
    expect(refused?.status).toBe(429)
    expect(refused?.headers['retry-after']).toMatch(/^\d+$/)
    expect(beside).toEqual([200])
    // Without a key it is served, too.
    expect((await post(SECRET, APP_ID)).status).toBe(200)
  })

  it('of the backlog gets 429, and its neighbour is served', async () => {
    const { refused, beside } = await untilRefused(QUOTA_APP, () => ({}))
    expect(refused?.status).toBe(429)
    expect(beside).toEqual([200])
  })

  it('of dead letters gets 503 until they are purged, and its neighbour is served', async () => {
    const letters = new DeadLetterStore(client, relay.env.RELAY_PREFIX ?? '')
    const dead = Array.from({ length: 12 }, (_, n) => letterOfShop(n))
    await letters.add(dead)
    const isServed = async () => (await post(SECRET, APP_ID)).status === 200
    await waitFor(async () => !(await isServed()), { what: 'a refusal' })
    const { status, body } = await post(SECRET, APP_ID)
    expect([status, body]).toEqual([503, expect.stringContaining('dead letters')])
    expect((await post(NEIGHBOUR, APP_ID)).status).toBe(200)
    expect((await post(SECRET, QUOTA_APP)).status).not.toBe(503)
    const { body: metrics } = await send(`${relay.opsUrl}/metrics`, 'GET', '', {})
    expect(metrics).toMatch(/^relay_stored_bytes\{app_id="ACCEPT",store="dead_letters"\} [1-9]/m)
    expect(metrics).toMatch(
      /^relay_stored_bytes\{app_id="ACCEPT",store="idempotency_keys"\} [1-9]/m,
    )
    // The remedies are open to the operator.
    const replayed = await relay.operate('POST', 'dead-letters/replay', { ids: [dead[0]?.id] })
    expect(JSON.parse(replayed.body)).toMatchObject({ count: 1 })
    const purged = await relay.operate('DELETE', 'dead-letters', { app_id: APP_ID })
    expect(JSON.parse(purged.body)).toMatchObject({ count: 11 })
    await waitFor(isServed, { what: 'a post that is accepted' })
    expect(await letters.bytes(APP_ID)).toEqual(new Map())
  })
})

/** 60 KB that MoEngage refused. */
function letterOfShop(n: number): DeadLetter {
  const nowMs = Date.now()
  return {
    id: `${APP_ID}.realtime.0.0.${n}.0`,
    appId: APP_ID,
    ...{ lane: 'realtime', kind: 'event', customer: '00000000000000aa' },
    element: JSON.stringify({ ...ELEMENT, note: 'x'.repeat(60_000) }),
    ...{ cost: 1, posted: 1, reason: 'element_refused', attempts: 1 },
    answer: { status: 400, type: 'AttributeError', message: 'no', attribute: null },
    requestId: createRequestId(nowMs, 1, producerTag('shop'), seededRandom(n)),
    ...{ acceptedAtMs: nowMs, deadAtMs: nowMs },
  }
}
