import { plot } from '@relay/tools/ops/plot.js'
import type { Sample } from './sample.js'

/** The samples as an SVG picture. */
export function plotSoak(samples: readonly Sample[]): string {
  const lastMs = Math.max(1, samples.at(-1)?.atMs ?? 1)
  const ticks = [0, 1, 2, 3, 4].map((quarter) => {
    const atMs = (lastMs * quarter) / 4
    return { atMs, label: `${(atMs / 60_000).toFixed(1)} min` }
  })
  return plot(samples, ticks, [
    {
      title: 'Resident memory, MiB',
      lines: [
        { label: 'api', colour: '#2563eb', value: (s) => s.apiMiB },
        { label: 'worker', colour: '#15803d', value: (s) => s.workerMiB },
        { label: 'Redis (data)', colour: '#b45309', value: (s) => s.redisMiB },
      ],
    },
    {
      title: 'Descriptors',
      lines: [
        { label: 'api', colour: '#2563eb', value: (s) => s.apiDescriptors },
        { label: 'worker', colour: '#15803d', value: (s) => s.workerDescriptors },
      ],
    },
    {
      title: 'Keys in Redis',
      lines: [{ label: 'keys', colour: '#b45309', value: (s) => s.redisKeys }],
    },
    {
      title: 'Accepted to delivered, mean of each sample, ms',
      lines: [{ label: 'latency', colour: '#7c3aed', value: (s) => s.latencyMs }],
    },
    {
      title: 'Load average of the machine (all that ran on it)',
      lines: [{ label: 'load', colour: '#64748b', value: (s) => s.loadAverage }],
    },
  ])
}
