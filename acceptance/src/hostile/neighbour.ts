import { Agent, request } from 'node:http'
import { GOOD_BODY, PATH } from './bytes.js'
import { APP_ID, SECRET } from '../relay.js'

/** What the producer met since the lap began. */
export interface Lap {
  /** Posts answered 200. */
  readonly answered: number
  /** Posts answered otherwise, or not at all. */
  readonly others: number
  readonly slowestMs: number
}

const NEW_LAP: Lap = { answered: 0, others: 0, slowestMs: 0 }

/** A producer that does everything right, all the time, beside those who do not. */
export class Neighbour {
  readonly statuses = new Map<number, number>()
  slowestMs = 0
  #lap: Lap = NEW_LAP
  readonly #url: string
  readonly #nowMs: () => number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 })
  readonly #loops: Promise<void>[]
  #stopped = false

  constructor(apiUrl: string, nowMs: () => number) {
    this.#url = `${apiUrl}${PATH}`
    this.#nowMs = nowMs
    this.#loops = [this.#loop(), this.#loop()]
  }

  /** What was met since the last call. */
  lap(): Lap {
    const lap = this.#lap
    this.#lap = NEW_LAP
    return lap
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
    this.#agent.destroy()
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      const startedMs = this.#nowMs()
      const status = await this.#post()
      const tookMs = this.#nowMs() - startedMs
      this.slowestMs = Math.max(this.slowestMs, tookMs)
      const { answered, others, slowestMs } = this.#lap
      this.#lap = {
        answered: answered + (status === 200 ? 1 : 0),
        others: others + (status === 200 ? 0 : 1),
        slowestMs: Math.max(slowestMs, tookMs),
      }
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  /** The status; 0 when there was none. */
  #post(): Promise<number> {
    return new Promise((resolve) => {
      const asked = request(this.#url, {
        method: 'POST',
        auth: `${APP_ID}:${SECRET}`,
        agent: this.#agent,
        headers: { 'Content-Type': 'application/json' },
      })
      asked.on('response', (response) => {
        response.resume()
        response.on('end', () => { resolve(response.statusCode ?? 0) }) // prettier-ignore
      })
      asked.on('error', () => { resolve(0) }) // prettier-ignore
      asked.end(GOOD_BODY)
    })
  }
}

const PAUSE_MS = 10
