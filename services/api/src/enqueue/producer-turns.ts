import { parseRequestId } from '@relay/shared/request-id.js'

/** A piece as it waits for its chunk. */
interface Waiting {
  readonly piece: { readonly bytes: number }
  readonly provenance: { readonly requestId: string }
}

interface Queue<T> {
  readonly producer: number
  readonly waiting: T[]
  at: number
}

/**
 * The order in which waiting pieces leave: next is the oldest of the producer that had fewest bytes, so
 * that one producer's large posts keep no other waiting. Posts in progress have no order among each
 * other; the pieces of one post keep theirs.
 */
export class ProducerTurns<T extends Waiting> {
  readonly #queues: Queue<T>[]
  readonly #servedBytes: Map<number, number>

  /** `servedBytes`, by producer, is kept up to date over several of these. */
  constructor(waiting: readonly T[], servedBytes: Map<number, number>) {
    this.#servedBytes = servedBytes
    const queues = new Map<number, Queue<T>>()
    for (const each of waiting) {
      const producer = producerOf(each)
      const queue = queues.get(producer)
      if (queue === undefined) queues.set(producer, { producer, waiting: [each], at: 0 })
      else queue.waiting.push(each)
    }
    this.#queues = [...queues.values()]
    const least = Math.min(...servedBytes.values())
    for (const { producer } of this.#queues) {
      // A newcomer has no credit for the time before it came.
      if (!servedBytes.has(producer)) servedBytes.set(producer, servedBytes.size > 0 ? least : 0)
    }
  }

  /** The next piece, which stays until `took`. */
  next(): T | undefined {
    const queue = this.#first()
    return queue?.waiting[queue.at]
  }

  took({ piece }: T): void {
    const queue = this.#first()
    if (queue === undefined) return
    queue.at += 1
    this.#servedBytes.set(queue.producer, this.#served(queue) + piece.bytes)
  }

  #first(): Queue<T> | undefined {
    let first: Queue<T> | undefined
    for (const queue of this.#queues) {
      if (queue.at === queue.waiting.length) continue
      if (first === undefined || this.#served(queue) < this.#served(first)) first = queue
    }
    return first
  }

  #served({ producer }: Queue<T>): number {
    return this.#servedBytes.get(producer) ?? 0
  }
}

/** Ids that are none share one turn. */
function producerOf({ provenance }: Waiting): number {
  return parseRequestId(provenance.requestId)?.producerTag ?? -1
}
