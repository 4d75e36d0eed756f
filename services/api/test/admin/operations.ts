import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { ConfigFault } from '@relay/shared/config/fault.js'
import { Keyring } from '@relay/shared/config/secret.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { systemRandom } from '@relay/shared/random.js'
import { systemClock } from '@relay/shared/clock.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { customerKey } from '@relay/shared/identity.js'
import type { LogFields } from '@relay/shared/observability/logger.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import type { TracedElement } from '@relay/shared/queue/chunk.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { Post, PostStore, StoreOutcome } from '@relay/shared/queue/post.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { TraceStore } from '@relay/shared/trace/trace-store.js'
import { BacklogHistory } from '../../src/admin/backlog-history.js'
import { watchRedis } from '@relay/shared/redis/explain.js'
import { createAdminApp } from '../../src/admin/app.js'
import { Eraser } from '../../src/admin/eraser.js'
import type { IntakeProblem } from '../../src/guard/intake-problem.js'
import { RedisPostStore } from '../../src/enqueue/redis-post-store.js'
import { identityOfCustomerId } from '../../src/accept/identity.js'
import { workspace } from '../support/intake.js'

export const TOKEN = 'operator-token'
const PARTITIONS = 4
/** Lease of the workers that erasers wait for. */
export const LEASE_MS = 15_000

/** A store that the test can make fail after so many posts. */
export class FailingStore implements PostStore {
  readonly #store: PostStore
  left = Infinity
  /** Called before a post is stored. */
  before: () => Promise<unknown> = () => Promise.resolve()
  failure: StoreOutcome = { outcome: 'refused', reason: 'backlog_full' }

  constructor(store: PostStore) {
    this.#store = store
  }

  async store(post: Post): Promise<StoreOutcome> {
    this.left -= 1
    if (this.left < 0) return this.failure
    await this.before()
    return this.#store.store(post)
  }
}

/** The operator API on a real Redis, with its own prefix. */
export class Operations {
  readonly prefix: string
  readonly client: RedisClient
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly store: FailingStore
  readonly erasures: ErasureStore
  readonly eraser: Eraser
  /** The erasers' clock: wound by hand. */
  readonly clock = {
    aheadMs: 0,
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now() + this.clock.aheadMs,
  }
  /** As this api's guard reports it. */
  intakeProblem: IntakeProblem | null = null
  /** The backlog as the api last read it. */
  lanes: readonly LaneBacklog[] | null = null
  /** What is wrong with the workspaces file. */
  readonly faults: ConfigFault[] = []
  configured: Workspace[] = [workspace('APP'), workspace('OTHER')]
  readonly logged: { message: string; fields: LogFields }[] = []
  readonly #server: Server
  readonly #deployment: Deployment

  constructor(client: RedisClient, prefix: string, token: string | null = TOKEN) {
    this.client = client
    this.prefix = prefix
    this.letters = new DeadLetterStore(client, prefix)
    this.traces = new TraceStore(client, prefix, 1e6)
    this.#deployment = new Deployment(client, prefix)
    const layouts = new LayoutStore(client, prefix, { partitions: PARTITIONS, mode: () => 'live' })
    const posts = new RedisPostStore({
      ...{ client, prefix, deployment: this.#deployment, layouts, clock: systemClock },
      refusal: () => null,
      compress: () => false,
      durable: () => Promise.resolve(true),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    })
    this.store = new FailingStore(posts)
    this.erasures = new ErasureStore(client, prefix)
    this.eraser = this.newEraser()
    const log = (message: string, fields: LogFields = {}) => this.logged.push({ message, fields })
    const operators = new Keyring(new Map([['operator', token === null ? [] : [token]]]))
    const app = createAdminApp({
      ...{
        operators: () => operators,
        client,
        prefix,
        windowMs: 60_000,
        clock: systemClock,
        random: systemRandom,
      },
      ...{ letters: this.letters, traces: this.traces, store: this.store },
      ...{ erasures: this.erasures, eraser: this.eraser },
      workspaces: {
        all: () => this.configured,
        get: (appId) => this.configured.find((w) => w.appId === appId),
        faults: this.faults,
      },
      lanes: () => this.lanes,
      history: new BacklogHistory(
        () => null,
        () => ['APP'],
      ),
      log: { error: log, warn: log, info: log, debug: log },
      redisProblem: watchRedis(client, { error: log, info: log }, systemClock, {
        recentMs: () => 0,
      }),
      intakeProblem: () => this.intakeProblem,
    })
    this.#server = createServer(app)
  }

  /** Another api's eraser. */
  newEraser(): Eraser {
    const { client, prefix, letters, traces, clock, erasures } = this
    const parts = { client, prefix, letters, traces, clock, erasures }
    return new Eraser({ ...parts, random: systemRandom, leaseMs: LEASE_MS })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** A request by the token's holder. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: JSON.parse(text),
    }
  }

  /** Everything that waits in a workspace, each partition's in order. */
  async queued(appId = 'APP'): Promise<TracedElement[]> {
    const tags = (await this.#deployment.active()).filter((tag) => tag.startsWith(`${appId}/`))
    const peeked = await Promise.all(
      tags.map((tag) => new PartitionQueue(this.client, this.prefix, tag).peek(0, 1e5, 1e8, false)),
    )
    return peeked.flatMap(({ chunks }) => chunks.flatMap(({ elements }) => elements))
  }
}

/** A Redis and a connection to it for one test file. */
export async function redisForTests(): Promise<{ redis: TestRedis; client: RedisClient }> {
  const redis = await startRedis()
  const client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
  await new Promise((resolve) => client.once('ready', resolve))
  // Every store of every test listens to it.
  client.setMaxListeners(0)
  return { redis, client }
}

export function customerOf(customerId: string): string {
  return Buffer.from(customerKey(identityOfCustomerId(customerId)), 'latin1').toString('hex')
}

/** A dead letter of workspace APP, of customer `customerId`; `n` orders deaths. */
export function letter(n: number, customerId: string, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `${more.appId ?? 'APP'}.realtime.0.0.${n}.0`,
    appId: 'APP',
    lane: 'realtime',
    kind: 'event',
    customer: customerOf(customerId),
    element: `{"type":"event","customer_id":"${customerId}","n":12345678901234567890${n}}`,
    cost: 1,
    posted: 1,
    reason: 'element_refused',
    answer: { status: 400, type: 'AttributeError', message: 'no', attribute: 'n' },
    attempts: 2,
    requestId: '01JDBX3K5NPQRS000000000000',
    acceptedAtMs: 1_700_000_000_000,
    deadAtMs: 1_700_000_000_000 + n,
    ...more,
  }
}
