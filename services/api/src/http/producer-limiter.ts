import type { Socket } from 'node:net'
import type { Caller } from '../accept/fairness.js'
import type { Refusal } from '../refusal.js'
import { markAuthenticated } from './unauthenticated-connections.js'

/** Limits of this process for all posts together and for one producer. */
export interface ProducerLimits {
  /** Buffered bodies over all connections, bytes. */
  readonly maxHeldBytes: number
  /** Concurrent posts of one producer; further ones wait for a slot. */
  readonly maxPostsPerProducer: number
  /** How long they wait, ms. It slows down a caller that ignores refusals. */
  readonly placeWaitMs: number
  readonly maxConnectionsPerProducer: number
}

/**
 * A producer may hold this many times the free amount: two thirds if it is alone; eight producers at
 * their limit leave a seventeenth, which is more than the largest body.
 */
const HELD_PER_FREE = 2

const BUSY_RETRY_MS = 1_000

const BUSY: Refusal = {
  status: 503,
  cause: 'process_memory',
  type: 'Service Unavailable',
  message: 'Memory for requests is in use. Nothing of this request was stored; post it again.',
  retryAfterMs: BUSY_RETRY_MS,
}

function tooMuchOfOne(what: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return {
    // Not 429, which means the producer's quota: this is a limit of the process.
    status: 503,
    cause: 'producer_limit',
    type: 'Service Unavailable',
    message: `Limit of ${what} per producer reached. Nothing of this request was stored; post it again.`,
    retryAfterMs: BUSY_RETRY_MS,
    headers,
  }
}

/** One producer's current use. At most one per configured name. */
interface Use {
  connections: number
  posts: number
  bytes: number
  /** Posts that wait for a slot, oldest first. */
  readonly waiting: Set<(place: Slot) => void>
}

/** A post in progress. */
export interface Slot {
  readonly producer: string
  /** Reserves more bytes; returns a refusal and reserves nothing if there is no room. */
  take(bytes: number): Refusal | null
  /** Must be called once, for any outcome of the post. */
  release(): void
}

/**
 * Limits connections, concurrent posts and their memory per producer: a flooding producer waits and is
 * refused at its own limit while the others still have room.
 */
export class ProducerLimiter {
  readonly #limits: ProducerLimits
  readonly #uses = new Map<string, Use>()
  /** The producer of each connection: its latest caller's, because a proxy may share a connection. */
  readonly #owners = new WeakMap<Socket, Use>()
  #heldBytes = 0

  constructor(limits: ProducerLimits) {
    this.#limits = limits
  }

  /** Counts a connection for its caller; returns a refusal if that exceeds the limit. */
  own(socket: Socket, producer: string): Refusal | null {
    const use = this.#useOf(producer)
    const owner = this.#owners.get(socket)
    if (owner === use) return null
    const most = this.#limits.maxConnectionsPerProducer
    if (use.connections >= most) {
      return tooMuchOfOne(`${most} open connections`, CLOSE)
    }
    use.connections += 1
    this.#owners.set(socket, use)
    markAuthenticated(socket)
    if (owner !== undefined) owner.connections -= 1
    else socket.once('close', () => { this.#closed(socket) }) // prettier-ignore
    return null
  }

  /** A slot for one post, at once or after a wait, or the refusal; null if the caller disconnected. */
  begin(producer: string, caller: Caller): Slot | Promise<Slot | Refusal | null> {
    const use = this.#useOf(producer)
    const { maxPostsPerProducer: most, placeWaitMs } = this.#limits
    if (use.posts < most) return this.#place(producer, use)
    return new Promise((resolve) => {
      const conclude = (outcome: Slot | Refusal | null) => {
        clearTimeout(timer)
        stop()
        use.waiting.delete(conclude)
        resolve(outcome)
      }
      const refusal = tooMuchOfOne(`${most} concurrent requests`)
      const timer = setTimeout(conclude, placeWaitMs, refusal)
      use.waiting.add(conclude)
      const stop = caller.onLeave(() => { conclude(null) }) // prettier-ignore
    })
  }

  #place(producer: string, use: Use): Slot {
    use.posts += 1
    let taken = 0
    return {
      producer,
      take: (bytes) => {
        const refusal = this.#take(use, bytes)
        if (refusal === null) taken += bytes
        return refusal
      },
      release: () => {
        use.posts -= 1
        use.bytes -= taken
        this.#heldBytes -= taken
        const [next] = use.waiting
        if (next === undefined) return
        use.waiting.delete(next)
        next(this.#place(producer, use))
      },
    }
  }

  #take(use: Use, bytes: number): Refusal | null {
    const freeBytes = this.#limits.maxHeldBytes - this.#heldBytes - bytes
    if (freeBytes < 0) return BUSY
    if (use.bytes + bytes > HELD_PER_FREE * freeBytes) {
      return tooMuchOfOne(`${use.bytes} buffered bytes`)
    }
    this.#heldBytes += bytes
    use.bytes += bytes
    return null
  }

  #closed(socket: Socket): void {
    const owner = this.#owners.get(socket)
    if (owner !== undefined) owner.connections -= 1
  }

  #useOf(producer: string): Use {
    let use = this.#uses.get(producer)
    if (use === undefined) {
      use = { connections: 0, posts: 0, bytes: 0, waiting: new Set() }
      this.#uses.set(producer, use)
    }
    return use
  }
}

/** Closes the connection after the refusal. */
const CLOSE = { Connection: 'close' }
