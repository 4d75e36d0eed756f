import { seededRandom } from '@relay/shared/seeded-random.js'
import type { Stack } from '../stack/stack.js'
import type { Journal, Mood } from './journal.js'
import { Producer } from './producer.js'

const PRODUCERS = 12
const CUSTOMERS_EACH = 12
/** Every third producer posts to the backfill lane. */
const BACKFILL_EVERY = 3
const MEAN_ELEMENTS = 6.5

export interface CrowdOptions {
  readonly seed: number
  /** Elements a second, about, all together. */
  readonly rate: number
  readonly mood: Readonly<Mood>
}

/** The usual producers, each with its own customers. */
export function makeProducers(
  stack: Stack,
  journal: Journal,
  { seed, rate, mood }: CrowdOptions,
): Producer[] {
  return Array.from({ length: PRODUCERS }, (_, i) => {
    const lane = i % BACKFILL_EVERY === BACKFILL_EVERY - 1 ? 'backfill' : 'realtime'
    return new Producer({
      name: `${String(seed)}-p${String(i)}`,
      lane,
      urls: stack.apis.map(({ url }) => url),
      customers: Array.from(
        { length: CUSTOMERS_EACH },
        (_, c) => `${lane}-${String(i)}-${String(c)}`,
      ),
      journal,
      random: seededRandom(seed * 1000 + i),
      pauseMs: (1000 * PRODUCERS * MEAN_ELEMENTS) / rate,
      mood,
      mayRefuse: () => stack.mayLackWorkspace,
    })
  })
}
