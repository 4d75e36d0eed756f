import type { Stop } from './upload.js'

export interface PatienceOptions {
  readonly sleep: (ms: number) => Promise<void>
  readonly stopped: () => boolean
  readonly waits: (why: string) => void
}

/** Maximum time without progress, ms: a full backlog drains as fast as MoEngage accepts it. */
const MAX_WAIT_MS = 600_000
/** Maximum time without any first answer, ms: the address is probably wrong. */
const UNANSWERED_MS = 10_000
const FIRST_MS = 500
const MAX_STOP_MS = 15_000
/** Maximum time to stop after Ctrl-C, ms. */
const STEP_MS = 250

/** How long an import waits for a relay that cannot continue. */
export class Patience {
  readonly #o: PatienceOptions
  #answered = false
  #waitedMs = 0
  #nextMs = FIRST_MS

  constructor(options: PatienceOptions) {
    this.#o = options
  }

  /** There was progress. */
  renew(): void {
    this.#answered = true
    this.#waitedMs = 0
    this.#nextMs = FIRST_MS
  }

  /** Waits until the next try is due; false if there is none. */
  async wait({ why, retryAfterMs, answered }: Stop): Promise<boolean> {
    this.#answered ||= answered
    const longestMs = this.#answered ? MAX_WAIT_MS : UNANSWERED_MS
    if (this.#waitedMs >= longestMs) return false
    this.#o.waits(why)
    const waitMs = Math.min(Math.max(this.#nextMs, retryAfterMs ?? 0), MAX_STOP_MS)
    this.#nextMs *= 2
    for (let leftMs = waitMs; leftMs > 0 && !this.#o.stopped(); leftMs -= STEP_MS) {
      await this.#o.sleep(Math.min(leftMs, STEP_MS))
    }
    this.#waitedMs += waitMs
    return !this.#o.stopped()
  }
}
