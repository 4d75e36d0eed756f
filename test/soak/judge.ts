import type { Sample } from './sample.js'

/** Share of the run, at its beginning, that is not judged: heaps, connections and traces fill. */
export const WARM_UP_SHARE = 1 / 6

export interface Measure {
  readonly what: string
  readonly value: (sample: Sample) => number | null
  /** How far the median of the last third may lie above that of the first: a share of it, and a constant. */
  readonly mayGrow: { readonly share: number; readonly by: number } | null
}

/**
 * A pending chunk is a key with its bytes, and their number is judged separately: what else
 * there is in Redis shows while few do.
 */
const CALM_ELEMENTS = 200
const whenCalm =
  (value: (sample: Sample) => number) =>
  (sample: Sample): number | null =>
    sample.backlog <= CALM_ELEMENTS ? value(sample) : null

const MEMORY = { share: 0.1, by: 10 }
const DESCRIPTORS = { share: 0, by: 5 }

export const MEASURES: readonly Measure[] = [
  { what: 'memory of the api, MiB', value: (s) => s.apiMiB, mayGrow: MEMORY },
  { what: 'memory of the worker, MiB', value: (s) => s.workerMiB, mayGrow: MEMORY },
  {
    what: 'memory of Redis (data) while few elements wait, MiB',
    value: whenCalm((s) => s.redisMiB),
    mayGrow: { share: 0.1, by: 0.2 },
  },
  { what: 'descriptors of the api', value: (s) => s.apiDescriptors, mayGrow: DESCRIPTORS },
  { what: 'descriptors of the worker', value: (s) => s.workerDescriptors, mayGrow: DESCRIPTORS },
  {
    what: 'keys in Redis while few elements wait',
    value: whenCalm((s) => s.redisKeys),
    mayGrow: { share: 0.1, by: 10 },
  },
  {
    what: 'accepted to delivered, ms',
    value: (s) => s.latencyMs,
    mayGrow: { share: 0.25, by: 500 },
  },
  { what: 'elements that wait', value: (s) => s.backlog, mayGrow: { share: 0.25, by: 500 } },
  { what: 'keys in Redis, all samples', value: (s) => s.redisKeys, mayGrow: null },
  // Not relay's: what else the machine had to do.
  { what: 'load average of the machine', value: (s) => s.loadAverage, mayGrow: null },
]

export interface Judged {
  readonly what: string
  /** Median of each third of what is judged. */
  readonly medians: readonly [number, number, number]
  readonly most: number
  /** Null: it is told, not judged. */
  readonly isFlat: boolean | null
}

/** What grows without end shows as a last third above the first. */
export function judgeFlatness(samples: readonly Sample[]): readonly Judged[] {
  const judged = samples.slice(Math.ceil(samples.length * WARM_UP_SHARE))
  return MEASURES.map(({ what, value, mayGrow }) => {
    const third = (i: number) => {
      const size = Math.ceil(judged.length / 3)
      return median(judged.slice(i * size, (i + 1) * size).map(value))
    }
    const medians = [third(0), third(1), third(2)] as const
    const [first, , last] = medians
    return {
      what,
      medians,
      most: Math.max(0, ...samples.map((sample) => value(sample) ?? 0)),
      isFlat: mayGrow === null ? null : last <= first * (1 + mayGrow.share) + mayGrow.by,
    }
  })
}

function median(values: readonly (number | null)[]): number {
  const sorted = values.filter((one) => one !== null).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

export interface SoakFacts {
  readonly minutes: number
  readonly samples: readonly Sample[]
  readonly troubles: ReadonlyMap<string, number>
  readonly accepted: number
  readonly refusedPosts: number
  readonly arrivals: number
  readonly lost: number
  readonly unseenArrivals: number
  readonly deadLettered: number
  readonly backlogAtEnd: number
  readonly budgets: readonly { name: string; limit: number; peak: number; used: number }[]
  /** 429s of the simulator that no fault asked for. */
  readonly overBudget: number
  readonly largestBody: number
  readonly bodyLimit: number
  readonly restarts: number
  readonly errors: ReadonlyMap<string, number>
}

export interface Law {
  readonly law: string
  readonly seen: string
  readonly holds: boolean
}

/** What has to hold besides flatness. */
export function judgeLaws(facts: SoakFacts): readonly Law[] {
  const { lost, unseenArrivals, deadLettered, backlogAtEnd } = facts
  return [
    {
      law: 'every accepted element arrived',
      seen: `${lost} lost, ${deadLettered} dead letters, ${backlogAtEnd} left waiting, ${unseenArrivals} arrivals not looked at`,
      holds: lost + unseenArrivals + deadLettered + backlogAtEnd === 0 && facts.accepted > 0,
    },
    ...facts.budgets.map(({ name, limit, peak }) => ({
      law: `no window of 60 s above ${limit} ${name}`,
      seen: `${peak} in the fullest`,
      holds: peak <= limit,
    })),
    {
      law: 'no 429 but those that faults made',
      seen: String(facts.overBudget),
      holds: facts.overBudget <= 0,
    },
    {
      law: `no body above ${facts.bodyLimit} bytes`,
      seen: `${facts.largestBody} bytes at most`,
      holds: facts.largestBody <= facts.bodyLimit,
    },
    {
      law: 'no process ended by itself',
      seen: String(facts.restarts),
      holds: facts.restarts === 0,
    },
  ]
}
