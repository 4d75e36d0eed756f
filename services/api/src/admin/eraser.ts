import { z } from 'zod'
import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { LANES } from '@relay/shared/element.js'
import type { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import { type Erasure, coversChunk, coversLetter, storedMs } from '@relay/shared/erasure/erasure.js'
import { customerKey, partitionOf } from '@relay/shared/identity.js'
import { repeat } from '@relay/shared/process/repeat.js'
import { partitionTag } from '@relay/shared/queue/keys.js'
import { findLayout } from '@relay/shared/queue/layout.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { readLeases, type Leases } from '@relay/shared/queue/workers.js'
import { workerOf } from '@relay/shared/queue/session-id.js'
import type { Random } from '@relay/shared/random.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { readRedisMs } from '@relay/shared/redis/redis-clock.js'
import { RedisRun } from '@relay/shared/redis/redis-run.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'
import { invalid } from './answer.js'
import { purge } from './letters.js'
import { selected } from './selection.js'
import { identityOf } from '../accept/identity.js'
import { isIdentifier } from '../validate/identifiers.js'
import type { Vocabulary } from '../validate/vocabulary.js'

/** The customer to erase: workspace and customer key. */
export interface Forgotten {
  readonly appId: string
  /** `customerKey`, latin1. */
  readonly customer: string
}

const schema = z.strictObject({
  app_id: z.string().min(1, 'is empty'),
  customer_id: z.string().min(1, 'is empty').optional(),
  user_identifiers: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})

/**
 * Parses a request to forget; throws a refusal that names the field. `namesOf` returns the names of
 * a workspace.
 */
export function parseForget(body: unknown, namesOf: (appId: string) => Vocabulary): Forgotten {
  const parsed = schema.safeParse(body ?? {})
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = String(issue?.path[0] ?? 'body')
    throw invalid(field, `${field} ${issue?.message ?? 'is not valid'}`)
  }
  const { app_id: appId, customer_id, user_identifiers } = parsed.data
  if ((customer_id === undefined) === (user_identifiers === undefined)) {
    throw invalid('customer_id', 'Give customer_id or user_identifiers, as the elements name it')
  }
  if (user_identifiers !== undefined && !Object.values(user_identifiers).some(isIdentifier)) {
    throw invalid('user_identifiers', 'Give at least one identifier that is not blank')
  }
  const named = customer_id === undefined ? { user_identifiers } : { customer_id }
  return { appId, customer: customerKey(identityOf('event', named, namesOf(appId))) }
}

interface EraserParts extends EraseParts {
  readonly erasures: ErasureStore
  readonly random: Random
  readonly leaseMs: number
}

/** What the operator API answers about an erasure. */
export interface ErasureView {
  readonly id: string
  readonly status: 'pending' | 'done'
  /** Those in a request at that time may have reached MoEngage. */
  readonly queued: number
  readonly dead_letters: number
  /** Workers that may still send some of the data; null: not known yet. */
  readonly workers_pending: number | null
}

/** Between two looks at what is pending, ms. */
const LOOK_EVERY_MS = 1_000
/** How long a request to forget waits for the workers before it answers `pending`, ms. */
const WAIT_MS = 1_000
const WAIT_STEP_MS = 50
/** Workers enforce an erasure for this long after it is done, ms. */
const ENFORCED_MS = 120_000

/**
 * Completes erasures. Every api does, so an erasure survives the death of the api that began it.
 *
 *   requested ──first pass over queues and dead letters──▶ pending ──no worker can send──▶ second pass
 *   ──still none──▶ done
 *
 * The second pass finds what was dead-lettered between the first and the last worker's confirmation.
 */
export class Eraser {
  readonly #p: EraserParts
  readonly #senders: Senders
  readonly #redisRun: RedisRun
  #stop: (() => void) | undefined

  constructor(parts: EraserParts) {
    this.#p = parts
    this.#senders = new Senders(parts.leaseMs, this.#nowMs())
    this.#redisRun = new RedisRun(parts.client, () => this.#senders.distrust(this.#nowMs()))
  }

  start(): void {
    this.#stop = repeat(LOOK_EVERY_MS, () => this.look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** Erases a customer, and answers as soon as that is done, or `pending`. Null: too many are pending. */
  async begin(whom: Forgotten): Promise<ErasureView | null> {
    const { client, prefix, erasures, random, clock } = this.#p
    const subject = {
      id: random.bytes(15).toString('base64url'),
      appId: whom.appId,
      customer: Buffer.from(whom.customer, 'latin1').toString('hex'),
    }
    // Replayed elements must precede the boundary.
    await this.#replaysEnded(subject)
    const reach = await boundaryOf(client, prefix, whom)
    const erasure: Erasure = { ...subject, ...reach, doneAtMs: null }
    // Before workers know of it: they would remove elements that are counted here.
    const erased = await erase(this.#p, erasure)
    const begun = await erasures.begin(erasure)
    await erasures.liftBar(erasure)
    if (!begun) return null
    await this.#count(erasure, erased)
    await erasures.announce(erasure)
    const untilMs = clock.monotonicMs() + WAIT_MS
    for (;;) {
      await this.#observe()
      await this.#advance(erasure)
      const view = await this.view(erasure.id)
      if (view?.status === 'done' || clock.monotonicMs() >= untilMs) return view
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS))
    }
  }

  /** Null: there is none with this id, or it was done more than a day ago. */
  async view(id: string): Promise<ErasureView | null> {
    const progress = await this.#p.erasures.progress(id)
    if (progress === null) return null
    const { isDone, queued, deadLetters, confirmed } = progress
    return {
      ...{ id, status: isDone ? 'done' : 'pending', queued, dead_letters: deadLetters },
      workers_pending: isDone ? 0 : this.#senders.unconfirmed(confirmed, this.#nowMs()),
    }
  }

  /** One look at the workers and at everything that is pending. */
  async look(): Promise<void> {
    const redisNowMs = await this.#observe()
    for (const erasure of await this.#p.erasures.enforced()) {
      if (erasure.doneAtMs === null) await this.#advance(erasure)
      else if (redisNowMs - erasure.doneAtMs > ENFORCED_MS) await this.#p.erasures.drop(erasure.id)
    }
  }

  /** Bars the customer from replays, and waits until none can store that began before. */
  async #replaysEnded(subject: Pick<Erasure, 'id' | 'appId' | 'customer'>): Promise<void> {
    const before = new Set(await this.#p.erasures.bar(subject))
    while (before.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS))
      const open = new Set(await this.#p.erasures.bar(subject))
      for (const wave of before) if (!open.has(wave)) before.delete(wave)
    }
  }

  async #advance(erasure: Erasure): Promise<void> {
    if (!(await this.#isConfirmed(erasure))) return
    await this.#count(erasure, await erase(this.#p, erasure))
    const redisNowMs = await this.#observe()
    if (await this.#isConfirmed(erasure)) await this.#p.erasures.finish(erasure, redisNowMs)
  }

  async #isConfirmed({ id }: Erasure): Promise<boolean> {
    const progress = await this.#p.erasures.progress(id)
    if (this.#redisRun.id === '') return false
    return this.#senders.unconfirmed(progress?.confirmed ?? new Set(), this.#nowMs()) === 0
  }

  async #observe(): Promise<number> {
    const leases = await readLeases(this.#p.client, this.#p.prefix)
    this.#senders.observe(leases, this.#nowMs())
    return leases.redisNowMs
  }

  #count({ id }: Erasure, { queued, deadLetters }: Erased): Promise<void> {
    return this.#p.erasures.count(id, queued, deadLetters)
  }

  #nowMs(): number {
    return this.#p.clock.monotonicMs()
  }
}

interface EraseParts {
  readonly client: RedisClient
  readonly prefix: string
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly clock: Clock
}

interface Erased {
  /** Elements as posted that were erased from the queues. */
  readonly queued: number
  readonly deadLetters: number
}

/** Chunks looked at between two turns of the event loop and of Redis. */
const CHUNKS_AT_ONCE = 20

/**
 * Erases what the erasure covers from queues and dead letters. Queues first: an element that is
 * refused meanwhile becomes a dead letter, and is found there. Other elements keep their order, as
 * the erased ones keep their places. Can be repeated.
 */
async function erase(parts: EraseParts, erasure: Erasure): Promise<Erased> {
  const { client, prefix, letters, traces, clock } = parts
  const { appId } = erasure
  const customer = Buffer.from(erasure.customer, 'hex').toString('latin1')
  const shares: { requestId: string; elements: number }[] = []
  for (const tag of Object.keys(erasure.boundary)) {
    const queue = new PartitionQueue(client, prefix, tag)
    const ids = (await queue.ids()).filter((id) => coversChunk(erasure, tag, id))
    for (let at = 0; at < ids.length; at += CHUNKS_AT_ONCE) {
      const some = ids.slice(at, at + CHUNKS_AT_ONCE)
      const erased = await Promise.all(some.map((id) => queue.erase(id, customer)))
      shares.push(...erased.flatMap((one) => one?.shares ?? []))
    }
  }
  // An erasure must not fail because of a trace.
  await traces.note(appId, 'purged', shares, '', clock.nowMs()).catch(() => undefined)
  const queued = shares.reduce((sum, { elements }) => sum + elements, 0)
  return { queued, deadLetters: await purge(parts, coveredLetters(letters, erasure)) }
}

async function* coveredLetters(
  letters: DeadLetterStore,
  erasure: Erasure,
): AsyncGenerator<readonly DeadLetter[]> {
  const { appId, customer } = erasure
  const filter = { reason: null, customer, requestId: null, sinceMs: null }
  for await (const step of selected(letters, [appId], { by: 'filter', appId, filter })) {
    yield step.filter((letter) => coversLetter(erasure, letter))
  }
}

/**
 * The end of the customer's data accepted so far: the last chunk of each of the customer's
 * partitions. Every post answered before now is in one of these chunks or an earlier one. Redis' clock may
 * have stepped back since it stored some of them.
 */
export async function boundaryOf(
  client: RedisClient,
  prefix: string,
  { appId, customer }: Forgotten,
): Promise<{ boundary: Erasure['boundary']; untilMs: number }> {
  const tags = await tagsOf(client, prefix, { appId, customer })
  const queues = tags.map((tag) => new PartitionQueue(client, prefix, tag))
  const last = await Promise.all(queues.map((queue) => queue.lastId()))
  const waiting = (await Promise.all(queues.map((queue) => queue.ids()))).flat()
  const untilMs = waiting.reduce(
    (latest, id) => Math.max(latest, storedMs(id) ?? 0),
    await readRedisMs(client),
  )
  return { boundary: Object.fromEntries(tags.map((tag, i) => [tag, last[i] ?? 0])), untilMs }
}

/** The customer's partitions: one per lane and per generation that may contain elements. */
async function tagsOf(client: RedisClient, prefix: string, { appId, customer }: Forgotten) {
  const layout = await findLayout(client, prefix, appId)
  if (layout === null) return []
  const generations = [layout, ...layout.draining]
  return LANES.flatMap((lane) =>
    generations.map(({ generation, partitions }) =>
      partitionTag({ appId, lane, generation, index: partitionOf(customer, partitions) }),
    ),
  )
}

/**
 * Which workers may still send, on this process' monotonic clock. A session that is missing in Redis
 * proves nothing: Redis may have lost it, or its clock may have stepped. A worker is over once its
 * lease has ended on this clock.
 */
export class Senders {
  readonly #leaseMs: number
  /** When each worker's lease ends at the latest, monotonic ms. */
  readonly #endsAtMs = new Map<string, number>()
  #trustedAtMs: number

  constructor(leaseMs: number, nowMs: number) {
    this.#leaseMs = leaseMs
    // Redis may have restarted just before, and lost sessions that are still alive.
    this.#trustedAtMs = nowMs + leaseMs
  }

  /** Redis restarted or failed over: it may have lost sessions. */
  distrust(nowMs: number): void {
    this.#trustedAtMs = nowMs + this.#leaseMs
  }

  observe({ sessions, redisNowMs }: Omit<Leases, 'lastEndMs'>, nowMs: number): void {
    for (const [worker, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs <= nowMs) this.#endsAtMs.delete(worker)
    }
    for (const [session, expiry] of sessions) {
      this.#endsAtMs.set(workerOf(session), nowMs + expiry - redisNowMs)
    }
  }

  /** How many unconfirmed workers may still send; null if unknown. */
  unconfirmed(confirmed: ReadonlySet<string>, nowMs: number): number | null {
    const left = [...this.#endsAtMs].filter(([w, ms]) => ms > nowMs && !confirmed.has(w))
    return left.length === 0 && nowMs < this.#trustedAtMs ? null : left.length
  }
}
