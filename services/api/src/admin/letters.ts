import { createHash } from 'node:crypto'
import type { Clock } from '@relay/shared/clock.js'
import {
  type DeadLetterStore,
  ORDERS_PER_MS,
} from '@relay/shared/dead-letters/dead-letter-store.js'
import { type DeadLetter, ANY_LETTER } from '@relay/shared/dead-letters/dead-letter.js'
import type { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import { coversLetter } from '@relay/shared/erasure/erasure.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import { repeat } from '@relay/shared/process/repeat.js'
import type { Post, PostStore, NotStoredReason } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'

interface ReplayParts {
  readonly letters: DeadLetterStore
  readonly store: PostStore
  readonly erasures: Pick<ErasureStore, 'openWave' | 'closeWave'>
  readonly random: Random
  readonly clock: Clock
}

interface Replayed {
  readonly count: number
  /** Why it ended before the last letter; null: it did not. */
  readonly stopped: NotStoredReason | null
}

const DIGEST_BYTES = 12

/**
 * Puts letters back into their queues, each customer's in the order they died, and then deletes
 * them. An interruption loses nothing: a letter has its own digest, so adding it twice is a no-op,
 * and it is deleted only afterwards.
 */
export async function replay(
  parts: ReplayParts,
  steps: AsyncIterable<readonly DeadLetter[]>,
): Promise<Replayed> {
  let count = 0
  for await (const step of steps) {
    const { stored, stopped } = await putBack(parts, step)
    count += (await parts.letters.remove(stored)).length
    if (stopped !== null) return { count, stopped }
  }
  return { count, stopped: null }
}

async function putBack(
  { store, erasures, random, clock }: ReplayParts,
  step: readonly DeadLetter[],
) {
  const stored: DeadLetter[] = []
  for (const all of wavesOf(step)) {
    const id = random.bytes(15).toString('base64url')
    const { storeUntilMs, enforced, isBarred } = await erasures.openWave(id)
    // Letters of an erased customer are about to be deleted; replayed, they would count as new data.
    const wave = all.filter(
      (letter) =>
        !isBarred(letter.appId, letter.customer) &&
        !enforced.some((one) => coversLetter(one, letter)),
    )
    const posts = wave.map((letter) => postOf(letter, clock.nowMs(), storeUntilMs))
    const outcomes = await Promise.all(posts.map((post) => store.store(post)))
    // A post without a known outcome may still be stored: then the wave ends by its time.
    if (outcomes.every(({ outcome }) => outcome !== 'unknown')) await erasures.closeWave(id)
    stored.push(...wave.filter((_, i) => outcomes[i]?.outcome === 'stored'))
    const failed = outcomes.find((outcome) => outcome.outcome !== 'stored')
    if (failed !== undefined) return { stored, stopped: failed.reason }
  }
  return { stored, stopped: null }
}

/** Letters that may be replayed concurrently: one per customer and wave, in order. */
function wavesOf(letters: readonly DeadLetter[]): DeadLetter[][] {
  const waves: DeadLetter[][] = []
  const passed = new Map<string, number>()
  for (const letter of letters) {
    const customer = `${letter.appId}/${letter.customer}`
    const wave = passed.get(customer) ?? 0
    passed.set(customer, wave + 1)
    const own = waves[wave]
    if (own) own.push(letter)
    else waves.push([letter])
  }
  return waves
}

/**
 * Accepted again now: its age restarts, so that it neither overtakes pending elements nor counts as a
 * late delivery. It stays traceable to its original request.
 */
function postOf(letter: DeadLetter, nowMs: number, storeUntilMs: number): Post {
  const { id, appId, lane, kind, element, cost, customer, posted, requestId, deadAtMs } = letter
  const { projectCode } = letter
  return {
    ...{ appId, lane, requestId },
    ...{ acceptedAtMs: nowMs, storeUntilMs },
    projectCode,
    elements: [
      {
        ...{ kind, cost, posted },
        json: Buffer.from(element, 'utf8'),
        customer: Buffer.from(customer, 'hex').toString('latin1'),
      },
    ],
    digest: createHash('sha256')
      .update(`replay\0${id}\0${deadAtMs}`)
      .digest()
      .subarray(0, DIGEST_BYTES),
  }
}

interface PurgeParts {
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly clock: Clock
}

/** Deletes letters permanently and records it in their requests' traces. Returns how many. */
export async function purge(
  { letters, traces, clock }: PurgeParts,
  steps: AsyncIterable<readonly DeadLetter[]>,
): Promise<number> {
  let count = 0
  for await (const step of steps) {
    const gone = await letters.remove(step)
    count += gone.length
    for (const appId of new Set(gone.map((letter) => letter.appId))) {
      const shares = gone
        .filter((letter) => letter.appId === appId)
        .map(({ requestId, posted }) => ({ requestId, elements: posted }))
      // A purge must not fail because of a trace.
      await traces.note(appId, 'purged', shares, '', clock.nowMs()).catch(() => undefined)
    }
  }
  return count
}

interface DeadLetterRetentionOptions extends PurgeParts {
  readonly keptMs: number
  readonly appIds: () => readonly string[]
  readonly log: Logger
}

/** How often old letters are looked for, ms. */
const EXPIRE_EVERY_MS = 600_000
const EXPIRED_AT_ONCE = 500

/** Deletes dead letters older than the retention period. Every api runs it; the first one wins. */
export class DeadLetterRetention {
  readonly #options: DeadLetterRetentionOptions
  #stop: (() => void) | undefined

  constructor(options: DeadLetterRetentionOptions) {
    this.#options = options
  }

  start(): void {
    this.#stop = repeat(EXPIRE_EVERY_MS, () => this.look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** Looks now; returns how many were deleted. */
  async look(): Promise<number> {
    const count = await purge(this.#options, this.#expired())
    if (count > 0) this.#options.log.warn('dead letters expired', { count })
    return count
  }

  async *#expired(): AsyncGenerator<readonly DeadLetter[]> {
    const { letters, clock, keptMs, appIds } = this.#options
    const upTo = (clock.nowMs() - keptMs) * ORDERS_PER_MS
    for (const appId of appIds()) {
      for (;;) {
        const page = await letters.page(appId, {
          ...{ filter: ANY_LETTER, first: 'oldest', after: null, upTo, limit: EXPIRED_AT_ONCE },
        })
        if (page.letters.length === 0) break
        yield page.letters.map(({ letter }) => letter)
      }
    }
  }
}
