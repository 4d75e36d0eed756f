import type { Socket } from 'node:net'
import type { Caller } from '../accept/caller.js'
import type { Refusal } from '../refusal.js'
import { isKnownNow } from './strangers.js'

/** What all posts together, and one producer's alone, may hold of this process at one time. */
export interface ShareLimits {
  /** Bodies held over all connections, bytes. */
  readonly maxHeldBytes: number
  /** Posts that one producer has under way; further ones wait for a place. */
  readonly maxPostsPerProducer: number
  /** How long they wait, ms. It slows down who does not heed a refusal. */
  readonly placeWaitMs: number
  readonly maxConnectionsPerProducer: number
}

/**
 * A producer may hold this many times what stays free: two thirds of all alone, and eight that flood
 * leave a seventeenth, which is more than the largest body.
 */
const HELD_PER_FREE = 2

const BUSY_RETRY_MS = 1_000

export const BUSY: Refusal = {
  status: 503,
  type: 'Service Unavailable',
  message: 'Too much is being received at once. Nothing of this request was stored; post it again.',
  retryAfterMs: BUSY_RETRY_MS,
}

function tooMuchOfOne(what: string, headers: Readonly<Record<string, string>> = {}): Refusal {
  return {
    // Not 429, which a producer gets for its own quota: this is the process being busy with it.
    status: 503,
    type: 'Service Unavailable',
    message: `${what}, as much as one producer may have. Nothing of this request was stored; post it again.`,
    retryAfterMs: BUSY_RETRY_MS,
    headers,
  }
}

/** One producer's present use. There are as many as names in the configuration. */
interface Use {
  connections: number
  posts: number
  bytes: number
  /** Posts that wait for a place, the oldest first. */
  readonly waiting: Set<(place: Place) => void>
}

/** A post under way. */
export interface Place {
  readonly producer: string
  /** Room for so many bytes more; a refusal when there is none, and nothing is taken then. */
  take(bytes: number): Refusal | null
  /** To be called once, whatever became of the post. */
  release(): void
}

/**
 * Divides connections, posts under way and their memory among producers: whoever floods waits, and is
 * refused, at its own bound, while there is still room for everybody else.
 */
export class Shares {
  readonly #limits: ShareLimits
  readonly #uses = new Map<string, Use>()
  /** Whose a connection is: its latest caller's, since a proxy may carry several over one. */
  readonly #owners = new WeakMap<Socket, Use>()
  #heldBytes = 0

  constructor(limits: ShareLimits) {
    this.#limits = limits
  }

  /** Counts a connection as its caller's; a refusal when that is one too many. */
  own(socket: Socket, producer: string): Refusal | null {
    const use = this.#useOf(producer)
    const owner = this.#owners.get(socket)
    if (owner === use) return null
    const most = this.#limits.maxConnectionsPerProducer
    if (use.connections >= most) {
      return tooMuchOfOne(`${String(most)} connections of yours are open here`, CLOSE)
    }
    use.connections += 1
    this.#owners.set(socket, use)
    isKnownNow(socket)
    if (owner !== undefined) owner.connections -= 1
    else socket.once('close', () => { this.#closed(socket) }) // prettier-ignore
    return null
  }

  /** A place for one post, at once or a little later, or why there is none; null: the caller left. */
  begin(producer: string, caller: Caller): Place | Promise<Place | Refusal | null> {
    const use = this.#useOf(producer)
    const { maxPostsPerProducer: most, placeWaitMs } = this.#limits
    if (use.posts < most) return this.#place(producer, use)
    return new Promise((resolve) => {
      const conclude = (outcome: Place | Refusal | null) => {
        clearTimeout(timer)
        stop()
        use.waiting.delete(conclude)
        resolve(outcome)
      }
      const refusal = tooMuchOfOne(`${String(most)} posts of yours are under way here`)
      const timer = setTimeout(conclude, placeWaitMs, refusal)
      use.waiting.add(conclude)
      const stop = caller.onLeave(() => { conclude(null) }) // prettier-ignore
    })
  }

  #place(producer: string, use: Use): Place {
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
      return tooMuchOfOne(`${String(use.bytes)} bytes of your posts are held here`)
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

/** So that the connection does not stay after its refusal. */
const CLOSE = { Connection: 'close' }
