/** The newest `capacity` items, numbered from 1 in order of arrival. */
export class Ring<T> {
  readonly capacity: number
  #items: T[] = []
  /** Number of the newest item ever put in; 0 before the first. */
  last = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Number of the oldest item still held. */
  get first(): number {
    return this.last - this.#items.length + 1
  }

  /** Adds an item as number `last + 1`; returns the evicted one. */
  push(item: T): T | undefined {
    const slot = this.last % this.capacity
    this.last += 1
    const gone = this.#items[slot]
    this.#items[slot] = item
    return gone
  }

  get(seq: number): T | undefined {
    if (seq < this.first || seq > this.last) return undefined
    return this.#items[(seq - 1) % this.capacity]
  }

  /** Held items with numbers above `since`, oldest first, at most `limit`. */
  after(since: number, limit: number): T[] {
    const items: T[] = []
    const from = Math.max(since + 1, this.first)
    for (let seq = from; seq <= this.last && items.length < limit; seq += 1) {
      const item = this.get(seq)
      if (item !== undefined) items.push(item)
    }
    return items
  }
}
