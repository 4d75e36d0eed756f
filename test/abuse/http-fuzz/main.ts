import { parseArgs } from 'node:util'
import { fuzzIntake, type CampaignResult } from './campaign.js'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    connections: { type: 'string', default: '32' },
  },
})

let toldAt = 0
// `npm run fuzz:http`: mutated requests against a live api and worker on loopback.
const result = await fuzzIntake({
  ...(values.minutes === undefined
    ? { requests: Number(values.requests), forMs: Infinity }
    : { requests: Infinity, forMs: Number(values.minutes) * 60_000 }),
  seed: Number(values.seed),
  connections: Number(values.connections),
  nowMs: () => performance.now(),
  onProgress: (requests) => {
    if (requests < toldAt + 50_000) return
    toldAt = requests
    process.stdout.write(`${requests} requests\n`)
  },
})
process.stdout.write(`${report(result)}\n`)
process.exit(
  result.faults.length + result.errors.length > 0 || result.accepted !== result.settled ? 1 : 0,
)

function report(r: CampaignResult): string {
  const perSecond = (r.requests / r.elapsedMs) * 1000
  const list = (all: ReadonlyMap<number, number>) =>
    [...all]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')
  return [
    `${r.requests} requests in ${r.volleys} connections, ${(r.elapsedMs / 1000).toFixed(0)} s (${perSecond.toFixed(0)} a second)`,
    `answers: ${list(r.statuses)}`,
    `faults: ${r.faults.length === 0 ? 'none' : ''}`,
    ...r.faults.map(({ seed, fault }) => `  --seed ${seed} --requests 1: ${fault}`),
    `errors logged: ${r.errors.length === 0 ? 'none' : ''}`,
    ...r.errors.slice(0, 10).map((line) => `  ${line}`),
    `memory of the api, MiB: ${r.memoryMiB.before} before, ${r.memoryMiB.most} at most, ${r.memoryMiB.after} after`,
    `descriptors: ${r.descriptors.before} before, ${r.descriptors.after} after`,
    `neighbour: ${list(r.neighbour.statuses)}; 99th percentile ${r.neighbour.p99Ms.toFixed(0)} ms, slowest ${r.neighbour.slowestMs.toFixed(0)} ms`,
    `elements: ${r.accepted} accepted, ${r.settled} delivered or dead-lettered`,
  ].join('\n')
}
