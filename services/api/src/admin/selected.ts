import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { Selection } from './selection.js'

/** Letters per step. */
const STEP = 500

/**
 * The selected letters of each workspace in the order they died, in steps. Letters that die after
 * the start are left out; otherwise letters that return at once would keep it running permanently.
 */
export async function* selected(
  letters: DeadLetterStore,
  appIds: readonly string[],
  selection: Selection,
): AsyncGenerator<readonly DeadLetter[]> {
  if (selection.by === 'ids') {
    const all = await letters.get(selection.ids)
    for (let at = 0; at < all.length; at += STEP) yield all.slice(at, at + STEP)
    return
  }
  const bounds = await Promise.all(appIds.map((appId) => letters.newestOrder(appId)))
  for (const [i, appId] of appIds.entries()) {
    const upTo = bounds[i] ?? 0
    let after: number | null = null
    do {
      const page = await letters.page(appId, {
        ...{ filter: selection.filter, first: 'oldest', after, upTo, limit: STEP },
      })
      if (page.letters.length > 0) yield page.letters.map(({ letter }) => letter)
      after = page.next
    } while (after !== null)
  }
}
