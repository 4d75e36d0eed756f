import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'

export interface PurgeParts {
  readonly letters: DeadLetterStore
  readonly traces: TraceStore
  readonly clock: Clock
}

/** Deletes letters permanently and records it in their requests' traces. Returns how many. */
export async function purge(
  { letters, traces, clock }: PurgeParts,
  steps: AsyncIterable<readonly DeadLetter[]>,
): Promise<number> {
  let count = 0
  for await (const step of steps) {
    const gone = await letters.remove(step)
    count += gone.length
    for (const appId of new Set(gone.map((letter) => letter.appId))) {
      const shares = gone
        .filter((letter) => letter.appId === appId)
        .map(({ requestId, posted }) => ({ requestId, elements: posted }))
      // A purge must not fail because of a trace.
      await traces.note(appId, 'purged', shares, '', clock.nowMs()).catch(() => undefined)
    }
  }
  return count
}
