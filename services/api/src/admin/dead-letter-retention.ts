import { ANY_LETTER, type DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { ORDERS_PER_MS } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import { purge, type PurgeParts } from './purge.js'

export interface DeadLetterRetentionOptions extends PurgeParts {
  readonly keptMs: number
  readonly appIds: () => readonly string[]
  readonly log: Logger
}

/** How often old letters are looked for, ms. */
const LOOK_EVERY_MS = 600_000
const STEP = 500

/** Deletes dead letters older than the retention period. Every api runs it; the first one wins. */
export class DeadLetterRetention {
  readonly #options: DeadLetterRetentionOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: DeadLetterRetentionOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => void this.look().catch(() => undefined), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Looks now; returns how many were deleted. */
  async look(): Promise<number> {
    const count = await purge(this.#options, this.#expired())
    if (count > 0) this.#options.log.warn('dead letters expired', { count })
    return count
  }

  async *#expired(): AsyncGenerator<readonly DeadLetter[]> {
    const { letters, clock, keptMs, appIds } = this.#options
    const upTo = (clock.nowMs() - keptMs) * ORDERS_PER_MS
    for (const appId of appIds()) {
      for (;;) {
        const page = await letters.page(appId, {
          ...{ filter: ANY_LETTER, first: 'oldest', after: null, upTo, limit: STEP },
        })
        if (page.letters.length === 0) break
        yield page.letters.map(({ letter }) => letter)
      }
    }
  }
}
