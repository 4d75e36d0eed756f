import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import type { Kind, Posted } from '../oracle/model.js'
import { basicAuth, call, type Answer } from '@relay/shared/process/http-call.js'
import { between, chance, pick, seededRandom } from '@relay/shared/seeded-random.js'
import { APP_ID, PRODUCER } from '../stack/settings.js'
import type { Journal, Mood } from './journal.js'
import type { Stack } from '../stack/stack.js'

interface Sent {
  /** Of an api. */
  readonly url: string
  readonly lane: 'realtime' | 'backfill'
  /** Idempotency-Key; null: none. */
  readonly key: string | null
  readonly body: string
}

const TIMEOUT_MS = 3_000
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Posts once; null when there was no answer. */
export function send({ url, lane, key, body }: Sent): Promise<Answer | null> {
  const headers = {
    'content-type': 'application/json',
    authorization: basicAuth(APP_ID, PRODUCER.secret),
    'relay-lane': lane,
    ...(key === null ? {} : { 'idempotency-key': key }),
  }
  const post = { method: 'POST', headers, body, agent, timeoutMs: TIMEOUT_MS }
  return call(`${url}/v1/transition/${APP_ID}`, post).catch(() => null)
}

const PLATFORMS = ['ANDROID', 'iOS'] as const

/**
 * The element as a producer posts it; its number in its customer's life is inside. A user update has
 * it in its own attribute, too, which stays when relay joins it with later ones.
 */
export function elementOf({ customer, seq, kind, poison }: Posted, padding: string): object {
  const mark = { seq, note: padding, ...(poison ? { poison: 'yes' } : {}) }
  switch (kind) {
    case 'user':
      return {
        type: 'customer',
        customer_id: customer,
        attributes: { ...mark, last: seq, [`seq_${seq}`]: true },
      }
    case 'event':
      return {
        type: 'event',
        customer_id: customer,
        actions: Array.from({ length: 1 + (seq % 2) }, (_, i) => ({
          action: i === 0 ? 'viewed' : 'bought',
          attributes: mark,
        })),
      }
    case 'device':
      return {
        type: 'device',
        customer_id: customer,
        device_id: `${customer}-phone`,
        attributes: { platform: PLATFORMS[seq % 2], push_id: `push-${seq}`, ...mark },
      }
  }
}

export interface ProducerOptions {
  readonly name: string
  readonly lane: 'realtime' | 'backfill'
  readonly urls: readonly string[]
  readonly customers: readonly string[]
  readonly journal: Journal
  readonly random: Random
  /** Mean pause between two posts, ms. */
  readonly pauseMs: number
  readonly mood: Readonly<Mood>
  /** Whether an api may refuse any post at present: the workspace was taken out of its file. */
  readonly mayRefuse: () => boolean
}

const KINDS: readonly Kind[] = [
  'user',
  'user',
  'user',
  'event',
  'event',
  'event',
  'event',
  'device',
]
const MAX_ELEMENTS = 12
/** Answers after which a good client posts the same again. */
const AGAIN: ReadonlySet<number> = new Set([409, 429, 503])

/**
 * A good client: one post at a time, each with its own key, posted again with the same key
 * and body until it is accepted. Its customers are its own, so acceptance orders their elements.
 */
export class Producer {
  readonly #options: ProducerOptions
  #posts = 0

  constructor(options: ProducerOptions) {
    this.#options = options
  }

  /** Posts until stopped; the post in progress is carried to its end. */
  async run(stopped: AbortSignal, givenUp: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      if (!this.#options.mood.quiet) await this.#post(givenUp)
      const pause = this.#options.random.next() * 2 * this.#options.pauseMs
      await sleep(pause, undefined, { signal: stopped }).catch(() => undefined)
    }
  }

  async #post(givenUp: AbortSignal): Promise<void> {
    const { name, journal, lane, urls, random } = this.#options
    this.#posts += 1
    const elements = this.#elements()
    const body = JSON.stringify({
      type: 'transition',
      elements: elements.map((e) => elementOf(e, this.#padding())),
    })
    const key = `${name}-${this.#posts}`
    let last = 'none'
    while (!givenUp.aborted) {
      const reply = await this.#send({ url: pick(random, urls), lane, key, body })
      if (reply?.status === 200) {
        journal.acknowledge(elements)
        return
      }
      if (reply !== null && !AGAIN.has(reply.status) && !this.#options.mayRefuse()) {
        journal.refusals.push(`${key}: ${reply.status} ${reply.body.slice(0, 200)}`)
        if (reply.status < 500) return
      }
      if (reply !== null) last = `${reply.status} ${reply.body.slice(0, 200)}`
      await sleep(between(random, 50, 400))
    }
    journal.refusals.push(
      `${key}: no answer that ends it before the run was over; the last: ${last}`,
    )
  }

  /** Sends it; an impatient producer sends it again meanwhile, and takes the better answer. */
  async #send(post: Sent): Promise<Answer | null> {
    const { random, urls, mood } = this.#options
    if (!chance(random, mood.impatientShare)) return send(post)
    const again = async () => {
      await sleep(between(random, 5, 500))
      return send({ ...post, url: pick(random, urls) })
    }
    const replies = await Promise.all([send(post), again()])
    return replies.find((reply) => reply?.status === 200) ?? replies[0]
  }

  #elements(): Posted[] {
    const { random, customers, journal, mood } = this.#options
    const some = Array.from({ length: between(random, 1, 3) }, () => pick(random, customers))
    return Array.from({ length: between(random, 1, MAX_ELEMENTS) }, () =>
      journal.next(pick(random, some), pick(random, KINDS), chance(random, mood.poisonShare)),
    )
  }

  #padding(): string {
    return 'x'.repeat(between(this.#options.random, 20, 400))
  }
}

const PRODUCERS = 12
const CUSTOMERS_EACH = 12
/** Every third producer posts to the backfill lane. */
const BACKFILL_EVERY = 3
const MEAN_ELEMENTS = 6.5

interface CrowdOptions {
  readonly seed: number
  /** Elements a second, about, all together. */
  readonly rate: number
  readonly mood: Readonly<Mood>
}

/** The usual producers, each with its own customers. */
export function makeProducers(
  stack: Stack,
  journal: Journal,
  { seed, rate, mood }: CrowdOptions,
): Producer[] {
  return Array.from({ length: PRODUCERS }, (_, i) => {
    const lane = i % BACKFILL_EVERY === BACKFILL_EVERY - 1 ? 'backfill' : 'realtime'
    return new Producer({
      name: `${seed}-p${i}`,
      lane,
      urls: stack.apis.map(({ url }) => url),
      customers: Array.from({ length: CUSTOMERS_EACH }, (_, c) => `${lane}-${i}-${c}`),
      journal,
      random: seededRandom(seed * 1000 + i),
      pauseMs: (1000 * PRODUCERS * MEAN_ELEMENTS) / rate,
      mood,
      mayRefuse: () => stack.mayLackWorkspace,
    })
  })
}
