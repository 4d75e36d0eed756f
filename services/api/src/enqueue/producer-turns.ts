import { parseRequestId } from '@relay/shared/request-id.js'

/** A pending piece. */
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
 * The order of pending pieces: next is the oldest of the producer that sent the fewest bytes, so that
 * one producer's large posts do not delay the others. Concurrent posts are unordered; the pieces of
 * one post keep their order.
 */
export class ProducerTurns<T extends Waiting> {
  readonly #queues: Queue<T>[]
  readonly #servedBytes: Map<number, number>

  /** `servedBytes`, by producer, is shared by several instances. */
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
      // A new producer has no credit for earlier time.
      if (!servedBytes.has(producer)) servedBytes.set(producer, servedBytes.size > 0 ? least : 0)
    }
  }

  /** The next piece; it stays until `took`. */
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

/** Invalid ids share one turn. */
function producerOf({ provenance }: Waiting): number {
  return parseRequestId(provenance.requestId)?.producerTag ?? -1
}
