import { Agent } from 'node:http'
import { basicAuth, call } from '@relay/shared/process/http-call.js'
import { GOOD_BODY, PATH } from './bytes.js'
import { APP_ID } from '../../support/relay.js'
import { OTHER_SECRET } from './access.js'

/** What the producer met since the lap began. */
export interface Lap {
  /** Posts answered 200. */
  readonly answered: number
  /** Posts answered otherwise, or not at all. */
  readonly others: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly slowestMs: number
}

/** Another producer, which does everything right, all the time, beside the one that does not. */
export class Neighbour {
  readonly statuses = new Map<number, number>()
  slowestMs = 0
  /** How long each post of the lap took, and how many were not answered 200. */
  #lap = { tookMs: [] as number[], others: 0 }
  readonly #url: string
  readonly #nowMs: () => number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #loops: Promise<void>[]
  #stopped = false

  constructor(apiUrl: string, nowMs: () => number) {
    this.#url = `${apiUrl}${PATH}`
    this.#nowMs = nowMs
    // One connection that is kept, and a new one for each post.
    this.#loops = [this.#loop(this.#agent), this.#loop(false)]
  }

  /** What was met since the last call. */
  lap(): Lap {
    const { tookMs, others } = this.#lap
    this.#lap = { tookMs: [], others: 0 }
    const sorted = tookMs.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0
    const [medianMs, p99Ms, slowestMs] = [at(0.5), at(0.99), at(1)]
    return { answered: sorted.length - others, others, medianMs, p99Ms, slowestMs }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
    this.#agent.destroy()
  }

  async #loop(agent: Agent | false): Promise<void> {
    while (!this.#stopped) {
      const startedMs = this.#nowMs()
      const status = await this.#post(agent)
      const tookMs = this.#nowMs() - startedMs
      this.slowestMs = Math.max(this.slowestMs, tookMs)
      this.#lap.tookMs.push(tookMs)
      if (status !== 200) this.#lap.others += 1
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  /** The status; 0 when there was none. */
  #post(agent: Agent | false): Promise<number> {
    const headers = {
      Authorization: basicAuth(APP_ID, OTHER_SECRET),
      'Content-Type': 'application/json',
    }
    const own = agent === false ? {} : { agent }
    const post = { method: 'POST', headers, body: GOOD_BODY, ...own }
    return call(this.#url, post).then(
      ({ status }) => status,
      () => 0,
    )
  }
}

const PAUSE_MS = 10
