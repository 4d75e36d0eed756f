import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@relay/tools/folders.js'
import { basicAuth } from '@relay/shared/process/http-call.js'
import { freePort } from '@relay/tools/process/port.js'
import { startRedis } from '../support/redis/test-redis.js'
import { startService, startTraffic, urlOf } from '../support/service.js'
import { startSimulator } from '@relay/simulator/simulator.js'

/** Of the workspaces: one that works, with a refused element now and then, and one that is held. */
export const SHOP = 'SHOP'
const HELD = 'SUSPENDED'
const SECRET = 'producer-secret'
/** One customer's elements, and what MoEngage takes of one in a minute: held for ten minutes. */
const RUNAWAY = 2_000
const CUSTOMER_LIMITS = '200/60'
/** Elements of one post that MoEngage takes, but for those it refuses. */
const MIXED = 40
const CARELESS_EVERY_MS = 3_000

export interface RelayUnderLoad {
  readonly apiOpsPort: number
  readonly workerOpsPort: number
  readonly adminToken: string
  /** A post of which some was delivered and some dead-lettered. */
  readonly mixedRequestId: string
  stop(): Promise<void>
}

/** A whole relay with a believable shop on both lanes, and faults of MoEngage and of a producer. */
export async function startRelayUnderLoad(): Promise<RelayUnderLoad> {
  const simulator = await startSimulator({ workspaces: { [SHOP]: 'key', [HELD]: 'key' } })
  const redis = await startRedis({ appendonly: 'everysec', maxmemory: '256mb' })
  const [port, apiOpsPort, workerOpsPort] = await Promise.all([freePort(), freePort(), freePort()])
  const workspaces = [SHOP, HELD].map((appId) => ({
    ...{ appId, apiKey: 'key', baseUrl: simulator.url },
    limits: { usersPerMinute: 50_000, eventsPerMinute: 200_000 },
  }))
  const file = join(await temporaryFolder('workspaces'), 'workspaces.json')
  await writeFile(file, JSON.stringify({ workspaces }))
  const env = {
    REDIS_URL: redis.url,
    RELAY_PREFIX: redis.freshPrefix(),
    RELAY_WORKSPACES_FILE: file,
    MOENGAGE_CUSTOMER_LIMITS: CUSTOMER_LIMITS,
    RELAY_PRODUCERS: `shop:${SECRET}`,
    RELAY_ADMIN_TOKEN: 'operator-token',
  }
  const services = await Promise.all([
    startService('api', { env, port, opsPort: apiOpsPort }),
    startService('worker', { env, opsPort: workerOpsPort }),
  ])
  const children = services.map(({ child }) => child)
  await addFaults(simulator.url)
  const url = urlOf(port)
  for (const lane of ['realtime', 'backfill']) {
    children.push(await startTraffic(url, { 'app-id': SHOP, secret: SECRET, rate: '150', lane }))
  }
  const post = (appId: string, attributes: object, customer = 'c1') =>
    postUsers(url, appId, [{ customer, attributes }])
  // A producer that is not careful: one element refused by relay, one accepted with a warning and
  // one that only MoEngage refuses, again and again.
  const careless = async () => {
    await post(SHOP, {}, '')
    await post(SHOP, { plan: 'a' }, 'Guest')
    await post(SHOP, { poison: true })
  }
  await careless()
  const again = setInterval(() => void careless().catch(() => undefined), CARELESS_EVERY_MS)
  await post(HELD, { plan: 'a' })
  await postRunaway(url)
  const mixed = Array.from({ length: MIXED }, (_, i) => ({
    customer: `member-${100 + i}`,
    attributes: i % 8 === 0 ? { tier: 'gold', poison: true } : { tier: 'silver', visits: i },
  }))
  const mixedRequestId = await postUsers(url, SHOP, mixed)
  return {
    ...{ mixedRequestId, adminToken: env.RELAY_ADMIN_TOKEN },
    apiOpsPort,
    workerOpsPort,
    stop: async () => {
      clearInterval(again)
      await Promise.all(children.map((child) => child.stop(5_000)))
      await redis.stop()
      await simulator.close()
    },
  }
}

async function addFaults(simulatorUrl: string): Promise<void> {
  const faults = [
    { appId: HELD, action: { kind: 'answer', row: 'account_suspended' } },
    { appId: SHOP, when: { path: 'attributes.poison' }, action: { kind: 'refuse' } },
    { appId: SHOP, probability: 0.1, action: { kind: 'status', status: 503 } },
    { appId: SHOP, probability: 0.1, action: { kind: 'reset', at: 'answer' } },
  ]
  const answer = await fetch(`${simulatorUrl}/control/faults`, {
    method: 'POST',
    body: JSON.stringify(faults),
  })
  if (answer.status !== 201) throw new Error(await answer.text())
}

/** One customer's updates: too many for MoEngage's per-customer policy. */
async function postRunaway(url: string): Promise<void> {
  const users = Array.from({ length: RUNAWAY }, (_, visits) => ({
    ...{ customer: 'runaway', attributes: { visits } },
  }))
  await postUsers(url, SHOP, users)
}

interface User {
  readonly customer: string
  readonly attributes: object
}

/** Gives the request id. */
async function postUsers(url: string, appId: string, users: readonly User[]): Promise<string> {
  const elements = users.map(({ customer, attributes }) => ({
    ...{ type: 'customer', customer_id: customer },
    attributes,
  }))
  const answer = await fetch(`${url}/v1/transition/${appId}`, {
    method: 'POST',
    headers: {
      Authorization: basicAuth(appId, SECRET),
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ type: 'transition', elements }),
  })
  return ((await answer.json()) as { request_id?: string }).request_id ?? ''
}
