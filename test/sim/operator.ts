import type { Random } from '@relay/shared/random.js'
import { between, pick } from '@relay/shared/seeded-random.js'
import type { Posted } from './load.js'
import type { Oracle } from './oracle.js'
import { SimRedis } from './redis-client.js'
import type { SimRedisServer } from './redis-server.js'
import type { Relay } from './relay.js'
import { APP_ID, PREFIX, type System } from './system.js'
import type { World } from './world.js'

/** As `services/api/src/admin/operator.ts`. */
const TIMEOUT_MS = 5_000
const EVERYTHING = { reason: null, customer: null, requestId: null, sinceMs: null }
const LETTERS = `return redis.call('HVALS', KEYS[1])`

export interface OperatorOptions {
  readonly world: World
  readonly relay: Relay
  readonly system: System
  readonly redis: SimRedisServer
  readonly oracle: Oracle
  readonly posted: readonly Posted[]
}

/** Operators, at the first api: they pause, resume, forget, replay and purge. */
export class Operator {
  isPaused = false
  readonly #options: OperatorOptions
  readonly #parts
  readonly #eraser
  readonly #actor
  /** Customers that are or were to be forgotten: since when no newer element is covered, ms. */
  readonly #forgotten = new Map<string, number>()
  #hasPurged = false

  constructor(options: OperatorOptions) {
    const { world, relay, system, redis } = options
    const api = system.apis[0]
    if (api === undefined) throw new Error('there is no api')
    this.#options = options
    this.#actor = api.actor
    const client = new SimRedis(world, redis, api.actor, TIMEOUT_MS)
    this.#parts = {
      ...{ client, prefix: PREFIX, clock: api.actor.clock, random: api.actor.random },
      store: api.core.store,
      letters: new relay.DeadLetterStore(client, PREFIX),
      traces: new relay.TraceStore(client, PREFIX, system.config.traceBytes),
      erasures: new relay.ErasureStore(client, PREFIX),
    }
    this.#eraser = new relay.Eraser({ ...this.#parts, leaseMs: system.config.leaseMs })
    world.in(2, api.actor, () => this.#eraser.start())
  }

  act(action: 'pause' | 'forget' | 'replay' | 'purge', random: Random): string {
    if (action === 'pause') return this.#pause(between(random, 1_000, 30_000))
    if (action === 'forget') return this.#forget(random)
    this.#hasPurged ||= action === 'purge'
    this.#run(action, async () => {
      const selection = { by: 'filter' as const, appId: APP_ID, filter: EVERYTHING }
      const steps = this.#options.relay.selected(this.#parts.letters, [APP_ID], selection)
      await this.#options.relay[action](this.#parts, steps)
    })
    return ''
  }

  heal(): void {
    if (this.isPaused) this.#setPaused(false)
  }

  /** Whether an element may be missing because its customer was to be forgotten. */
  mayBeErased({ customerId, postedMs }: Posted): boolean {
    return postedMs <= (this.#forgotten.get(customerId) ?? -Infinity)
  }

  /** Nothing but what MoEngage refuses is dead, and all of that is, unless it was purged. */
  async conclude(isExcused: (element: Posted) => boolean): Promise<void> {
    const { redis, oracle, posted } = this.#options
    const reply = await redis.ask('EVAL', LETTERS, 1, `${PREFIX}:{${APP_ID}}:dead:letters`)
    const letters = (reply as Buffer[]).map(elementOf)
    const good = letters.find((element) => !element.includes('"bad":1'))
    if (good !== undefined) oracle.violate('dead letter', `${good} is good`)
    if (this.#hasPurged) return
    const dead = new Set(letters.map(markOf))
    const lost = posted.find((one) => one.isAcked && one.isBad && !dead.has(`${one.customer}-${one.n}`) && !isExcused(one)) // prettier-ignore
    if (lost !== undefined) oracle.violate('dead letter', `${lost.customer}-${lost.n} is refused and no dead letter`) // prettier-ignore
  }

  #pause(ms: number): string {
    if (this.isPaused) return 'is paused already'
    this.#setPaused(true)
    this.#options.world.in(ms, null, () => {
      if (this.isPaused) this.#setPaused(false)
    })
    return `for ${ms} ms`
  }

  /** Repeated until it succeeds, as an operator would. */
  #setPaused(isPaused: boolean): void {
    this.isPaused = true
    this.#run(isPaused ? 'pause' : 'resume', async () => {
      await this.#options.relay.setPaused(this.#parts.client, PREFIX, APP_ID, isPaused)
      this.isPaused = isPaused
    })
  }

  #forget(random: Random): string {
    const { posted, relay, system, world } = this.#options
    const acked = posted.filter(({ isAcked }) => isAcked)
    if (acked.length === 0) return 'nobody'
    const { customerId } = pick(random, acked)
    this.#forgotten.set(customerId, Infinity)
    // The newest element acknowledged before, in each lane.
    const newest = new Map<string, number>()
    for (const one of acked.filter((other) => other.customerId === customerId)) {
      newest.set(one.customer, Math.max(one.n, newest.get(one.customer) ?? 0))
    }
    const whom = relay.parseForget({ app_id: APP_ID, customer_id: customerId }, () =>
      relay.vocabularyOf(system.workspace),
    )
    this.#run('forget', async () => {
      const view = await this.#eraser.begin(whom)
      this.#forgotten.set(customerId, world.nowMs)
      if (view !== null) this.#awaitErasure(view.id, newest)
    })
    return [...newest].map(([customer, n]) => `${customer} up to ${n}`).join(', ')
  }

  #awaitErasure(id: string, newest: ReadonlyMap<string, number>): void {
    this.#options.world.in(500, this.#actor, () => {
      void this.#eraser.view(id).then(
        (view) => {
          if (view?.status !== 'done') {
            this.#awaitErasure(id, newest)
            return
          }
          for (const [customer, n] of newest) {
            this.#options.world.log(`${customer} is forgotten up to ${n}`)
            this.#options.oracle.erased(customer, n)
          }
        },
        () => { this.#awaitErasure(id, newest) }, // prettier-ignore
      )
    })
  }

  #run(what: string, action: () => Promise<void>): void {
    const { world } = this.#options
    world.in(1, this.#actor, () => {
      void action().then(
        () => { world.log(`operator: ${what} is done`) }, // prettier-ignore
        (error: unknown) => {
          world.log(`operator: ${what} failed: ${String(error)}`)
          world.in(1_000, null, () => { this.#run(what, action) }) // prettier-ignore
        },
      )
    })
  }
}

function elementOf(letter: Buffer): string {
  return (JSON.parse(String(letter)) as { element: string }).element
}

function markOf(element: string): string {
  const [, n = '', customer = ''] = /"k(\d+)":"([^"@]+)/.exec(element) ?? []
  return `${customer}-${n}`
}
