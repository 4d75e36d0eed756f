/** Compare-and-set of a record's text, '' for none. Rejects when Redis does not answer. */
export type ChangeRecord = (
  seen: string,
  next: string,
) => Promise<{ readonly changed: boolean; readonly record: string }>

export interface SharedRecordOptions<T> {
  readonly change: ChangeRecord
  /** Reads a record; '' is an absent one. */
  readonly parse: (text: string) => T
}

/** An idempotent change by an answer; returns the same object if nothing changes. */
export type Update<T> = (before: T) => T

/** Maximum updates not yet in Redis: an outage of Redis stops sending, and with it new updates. */
const MAX_PENDING = 100

/**
 * A record that several workers change: its state in Redis, and this worker's updates that are not yet in
 * Redis. Neither a read in flight nor a failed write loses a update.
 */
export class SharedRecord<T> {
  readonly #options: SharedRecordOptions<T>
  #stored = ''
  #pending: Update<T>[] = []
  #value: T
  #writing: Promise<void> = Promise.resolve()

  constructor(options: SharedRecordOptions<T>) {
    this.#options = options
    this.#value = options.parse('')
  }

  /** The record with every update. */
  get value(): T {
    return this.#value
  }

  /** Adopts the state in Redis, and stores pending updates. Rejects when Redis does not answer. */
  async adopt(text: string): Promise<void> {
    this.#setStored(text)
    await this.#store()
  }

  /** Applies a update at once. Rejects when it could not be stored: `adopt` tries again. */
  async apply(update: Update<T>): Promise<void> {
    const next = update(this.#value)
    if (next === this.#value) return
    this.#value = next
    this.#pending = [...this.#pending, update].slice(-MAX_PENDING)
    await this.#store()
  }

  #setStored(text: string): void {
    this.#stored = text
    this.#value = this.#pending.reduce((value, update) => update(value), this.#options.parse(text))
  }

  /** One write at a time: the text that the next one sees is that of the one before. */
  #store(): Promise<void> {
    const write = this.#writing.then(() => this.#write())
    this.#writing = write.catch(() => undefined)
    return write
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const count = this.#pending.length
      const { changed, record } = await this.#options.change(
        this.#stored,
        JSON.stringify(this.#value),
      )
      if (changed) this.#pending = this.#pending.slice(count)
      this.#setStored(record)
    }
  }
}
