import type { Clock } from '@relay/shared/clock.js'

/** The client that waits for the answer to a request. */
export interface Caller {
  /** The connection is closed: no one can be answered. */
  readonly hasLeft: boolean
  /** Calls `leave` once if the client leaves while its request waits. Returns how to stop that. */
  onLeave(leave: () => void): () => void
}

/** For work that has to end whether or not the client still waits. */
export const STAYS: Caller = { hasLeft: false, onLeave: () => () => undefined }

/** Work that can be paused; every `next` is one step. */
export type Steps<T> = Generator<void, T>

/** Time after which the event loop serves others, ms. */
const SLICE_MS = 8

interface Job {
  /** Runs until it ends or its slice is over; true: it has ended. */
  slice(): boolean
  fail(error: unknown): void
}

interface Use {
  /** Processor time used; at least that of the producer served last, so that idle time earns no credit. */
  usedMs: number
  readonly jobs: Job[]
}

/**
 * Divides the event loop's time among producers: the job of the producer that used least runs next,
 * one slice per turn of the loop. If nothing is queued, a job runs at once to its end, without a promise.
 */
export class FairSlices {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #nextTurn: (run: () => void) => void
  /** At most one per configured name. */
  readonly #uses = new Map<string, Use>()
  readonly #queued = new Set<Use>()
  #servedMs = 0
  /** Time that jobs ran in this turn of the event loop, ms. */
  #turnMs = 0
  #hasTurn = false

  /** `nextTurn` runs a function once the event loop has looked at everything else. */
  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    nextTurn: (run: () => void) => void = setImmediate,
  ) {
    this.#clock = clock
    this.#nextTurn = nextTurn
  }

  /** What the steps return, at once where that is possible; null: the caller left before their end. */
  run<T>(producer: string, steps: Steps<T>, caller: Caller): T | Promise<T | null> {
    const use = this.#useOf(producer)
    if (this.#queued.size === 0 && this.#turnMs < SLICE_MS) {
      const ended = this.#slice(use, steps)
      if (ended !== null) return ended.value
    }
    return new Promise((resolve, reject) => {
      const job = {
        slice: () => {
          const ended = this.#slice(use, steps)
          if (ended === null) return false
          stop()
          resolve(ended.value)
          return true
        },
        fail: (error: unknown) => {
          stop()
          // What a step threw, as it was.
          reject(error) // eslint-disable-line @typescript-eslint/prefer-promise-reject-errors
        },
      }
      use.jobs.push(job)
      this.#queued.add(use)
      const stop = caller.onLeave(() => {
        this.#drop(use, job)
        resolve(null)
      })
    })
  }

  #drop(use: Use, job: Job): void {
    use.jobs.splice(use.jobs.indexOf(job), 1)
    if (use.jobs.length === 0) this.#queued.delete(use)
  }

  #slice<T>(use: Use, steps: Steps<T>): { readonly value: T } | null {
    this.#takeTurn()
    // Also counts work that ran at once; otherwise a later producer would first get all that time.
    this.#servedMs = Math.max(use.usedMs, this.#servedMs)
    const startedMs = this.#clock.monotonicMs()
    try {
      for (;;) {
        const step = steps.next()
        if (step.done === true) return { value: step.value }
        if (this.#clock.monotonicMs() - startedMs >= SLICE_MS) return null
      }
    } finally {
      const tookMs = this.#clock.monotonicMs() - startedMs
      use.usedMs = this.#servedMs + tookMs
      this.#turnMs += tookMs
    }
  }

  #takeTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    this.#nextTurn(() => {
      this.#hasTurn = false
      this.#turnMs = 0
      this.#serve()
    })
  }

  #serve(): void {
    let next: Use | null = null
    for (const use of this.#queued) {
      use.usedMs = Math.max(use.usedMs, this.#servedMs)
      if (next === null || use.usedMs < next.usedMs) next = use
    }
    const job = next?.jobs[0]
    if (next === null || job === undefined) return
    let hasEnded = true
    try {
      hasEnded = job.slice()
    } catch (error) {
      job.fail(error)
    }
    if (hasEnded) this.#drop(next, job)
    if (this.#queued.size > 0) this.#takeTurn()
  }

  #useOf(producer: string): Use {
    let use = this.#uses.get(producer)
    if (use === undefined) {
      use = { usedMs: 0, jobs: [] }
      this.#uses.set(producer, use)
    }
    return use
  }
}

export function runAll<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * A semaphore whose waiters are served by producer in turn, so that one producer's queue delays no
 * other. The limit of concurrent posts per producer bounds the queue.
 */
export class FairTurns {
  readonly #max: number
  #running = 0
  /** In the order in which producers are served next. */
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(max: number) {
    this.#max = max
  }

  /** What the work gives; null: the caller left before its turn, and the work was not begun. */
  async run<T>(producer: string, work: () => Promise<T>, caller: Caller): Promise<T | null> {
    if (this.#running < this.#max) this.#running += 1
    else if (!(await this.#turn(producer, caller))) return null
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  /** Waits for a turn; false: the caller left. */
  #turn(producer: string, caller: Caller): Promise<boolean> {
    return new Promise((resolve) => {
      const begin = () => {
        stop()
        resolve(true)
      }
      const own = this.#waiting.get(producer)
      if (own === undefined) this.#waiting.set(producer, [begin])
      else own.push(begin)
      const stop = caller.onLeave(() => {
        this.#leave(producer, begin)
        resolve(false)
      })
    })
  }

  #leave(producer: string, begin: () => void): void {
    const others = (this.#waiting.get(producer) ?? []).filter((waiting) => waiting !== begin)
    // Replacing the value keeps the producer's turn.
    if (others.length > 0) this.#waiting.set(producer, others)
    else this.#waiting.delete(producer)
  }

  /** Passes a released slot to the next waiter. */
  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running -= 1
      return
    }
    const [producer, own] = next
    const begin = own.shift()
    this.#waiting.delete(producer)
    if (own.length > 0) this.#waiting.set(producer, own)
    begin?.()
  }
}
