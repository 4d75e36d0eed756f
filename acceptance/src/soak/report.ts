import { cpus } from 'node:os'
import type { Sample } from './sample.js'

export interface SoakFacts {
  readonly minutes: number
  readonly samples: readonly Sample[]
  readonly troubles: ReadonlyMap<string, number>
  readonly accepted: number
  readonly refusedPosts: number
  /** Distinct elements that the simulator took. */
  readonly arrived: number
  readonly deadLettered: number
  readonly backlogAtEnd: number
  readonly errors: number
}

const ROWS: readonly (readonly [string, (sample: Sample) => number | null])[] = [
  ['memory of the api, MiB', (s) => s.apiMiB],
  ['memory of the worker, MiB', (s) => s.workerMiB],
  ['memory of Redis (data), MiB', (s) => s.redisMiB],
  ['descriptors of the api', (s) => s.apiDescriptors],
  ['descriptors of the worker', (s) => s.workerDescriptors],
  ['keys in Redis', (s) => s.redisKeys],
  ['elements that wait', (s) => s.backlog],
  ['accepted to delivered, ms', (s) => s.latencyMs],
]

/** `docs/soak.md`. */
export function soakDocument(facts: SoakFacts): string {
  const { minutes, samples, troubles } = facts
  const thirds = [0, 1, 2].map((i) => {
    const size = Math.ceil(samples.length / 3)
    return samples.slice(i * size, (i + 1) * size)
  })
  const rows = ROWS.map(([what, value]) => {
    const medians = thirds.map((third) => median(third, value))
    return `| ${[what, ...medians, most(samples, value)].join(' | ')} |`
  })
  const machine = `${String(cpus().length)} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`
  return `# Soak

${String(minutes)} minutes at nine tenths of both default budgets, one api and two workers, with mild faults on the way. Made by
\`npm run soak -- --minutes ${String(minutes)}\` on ${machine}; simulator and load ran on the same machine.

![Memory, descriptors, keys and latency over time](img/soak.svg)

Medians of each third of the time: what grows without end shows as a third that is higher than the one before it.

| | first third | second third | last third | most seen |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

- ${number(facts.accepted)} elements were accepted, ${String(facts.refusedPosts)} posts were refused.
- ${number(facts.arrived)} arrivals at the simulator (what is sent again counts again), ${String(facts.deadLettered)} dead letters, ${String(facts.backlogAtEnd)} left waiting.
- ${String(facts.errors)} lines of level error.

| fault | how often |
| --- | --- |
${[...troubles].map(([what, times]) => `| ${what} | ${String(times)} |`).join('\n')}
`
}

function values(samples: readonly Sample[], value: (sample: Sample) => number | null): number[] {
  return samples.map(value).filter((one) => one !== null)
}

function median(samples: readonly Sample[], value: (sample: Sample) => number | null): string {
  const sorted = values(samples, value).sort((a, b) => a - b)
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0)
}

function most(samples: readonly Sample[], value: (sample: Sample) => number | null): string {
  return Math.max(0, ...values(samples, value)).toFixed(0)
}

const number = (n: number): string => n.toLocaleString('en')
