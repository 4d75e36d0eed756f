import { ALL_PRODUCERS } from '../hostile/access.js'
import { Neighbour } from '../hostile/neighbour.js'
import { processFacts } from '@relay/tools/process/facts.js'
import { metricsOf, opsUrlOf, sumOf, Relay } from '../../support/relay.js'
import { send, volleyOf } from './intake.js'

export interface CampaignOptions {
  readonly requests: number
  /** It ends after so long, or so many requests, ms. */
  readonly forMs: number
  /** Of the first volley; each further one has the next. */
  readonly seed: number
  readonly connections: number
  readonly nowMs: () => number
  readonly onProgress?: (requests: number) => void
}

export interface CampaignResult {
  readonly requests: number
  readonly volleys: number
  readonly elapsedMs: number
  readonly statuses: ReadonlyMap<number, number>
  /** With the seed that shows it again. */
  readonly faults: readonly { readonly seed: number; readonly fault: string }[]
  /** Log lines of the api and worker above a warning. */
  readonly errors: readonly string[]
  readonly memoryMiB: { readonly before: number; readonly most: number; readonly after: number }
  readonly descriptors: { readonly before: number; readonly after: number }
  readonly neighbour: {
    readonly statuses: ReadonlyMap<number, number>
    readonly p99Ms: number
    readonly slowestMs: number
  }
  /** Elements taken in, and those delivered or dead-lettered once all was quiet. */
  readonly accepted: number
  readonly settled: number
}

const LOOK_EVERY_MS = 100
const MAX_FAULTS = 20

/** A live api and worker under mutated requests, with a well-behaved producer beside them. */
export async function fuzzIntake(options: CampaignOptions): Promise<CampaignResult> {
  const relay = await Relay.start({
    simulator: { record: 'sizes', usersPerWindow: 1e9, eventsPerWindow: 1e9 },
    env: {
      RELAY_PRODUCERS: ALL_PRODUCERS,
      MOENGAGE_USERS_PER_MINUTE: '1000000000',
      MOENGAGE_EVENTS_PER_MINUTE: '1000000000',
      // The corpus has three customers: an hour is more than the per-customer policy allows them.
      MOENGAGE_CUSTOMER_LIMITS: 'off',
    },
  })
  try {
    return await campaign(relay, options)
  } finally {
    await relay.stop()
  }
}

async function campaign(relay: Relay, options: CampaignOptions): Promise<CampaignResult> {
  const { requests: wanted, forMs, seed, connections, nowMs, onProgress } = options
  const ports = { intake: portOf(relay.apiUrl), ops: portOf(relay.opsUrl) }
  const neighbour = new Neighbour(relay.apiUrl, nowMs)
  const facts = () => processFacts(relay.api.pid)
  const before = facts()
  let most = before.residentMiB
  const look = setInterval(() => {
    most = Math.max(most, facts().residentMiB)
  }, LOOK_EVERY_MS)
  const statuses = new Map<number, number>()
  const faults: { seed: number; fault: string }[] = []
  const startedMs = nowMs()
  let next = seed
  let requests = 0
  const attacker = async (): Promise<void> => {
    const isDone = () => requests >= wanted || nowMs() - startedMs >= forMs
    while (!isDone() && relay.api.exit() === null && faults.length < MAX_FAULTS) {
      const volley = volleyOf(next++)
      const { requests: sent, statuses: met, fault } = await send(volley, ports)
      requests += sent
      for (const status of met) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (fault !== null) faults.push({ seed: volley.seed, fault })
      onProgress?.(requests)
    }
  }
  await Promise.all(Array.from({ length: connections }, attacker))
  const elapsedMs = nowMs() - startedMs
  await neighbour.stop()
  const { p99Ms, slowestMs } = neighbour.lap()
  const { accepted, settled } = await settledElements(relay, nowMs)
  clearInterval(look)
  const after = facts()
  const lines = [relay.api, ...relay.workers].flatMap((child) => child.logs())
  return {
    ...{ requests, volleys: next - seed, elapsedMs, statuses, faults, accepted, settled },
    errors: lines.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line)),
    memoryMiB: { before: before.residentMiB, most, after: after.residentMiB },
    descriptors: { before: before.descriptors, after: after.descriptors },
    neighbour: { statuses: neighbour.statuses, p99Ms, slowestMs },
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}

const SETTLED_BY_MS = 60_000
const ASK_EVERY_MS = 200

/** Waits until nothing waits; then every accepted element must be accounted for. */
async function settledElements(relay: Relay, nowMs: () => number) {
  const deadlineMs = nowMs() + SETTLED_BY_MS
  for (;;) {
    const api = await metricsOf(relay.opsUrl)
    const worker = await metricsOf(opsUrlOf(relay.workers[0]))
    const accepted = sumOf(api, /^relay_intake_elements_total\{.*outcome="accepted".*\} (\d+)$/gm)
    const settled =
      sumOf(worker, /^relay_delivered_elements_total\{.*\} (\d+)$/gm) +
      sumOf(worker, /^relay_dead_lettered_elements_total\{.*\} (\d+)$/gm)
    if (accepted === settled || nowMs() > deadlineMs) return { accepted, settled }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}
