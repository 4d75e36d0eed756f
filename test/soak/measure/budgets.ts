/**
 * `npm run measure:budgets`: how much of the binding budget is used, and how full bodies are, with 1,
 * 2, 4 and 8 workers, in windows as MoEngage has them. Takes a quarter of an hour, writes docs/reports/budget-use.md.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { writePage } from '@relay/tools/docs/page.js'
import { ROOT } from '@relay/tools/folders.js'
import { EVENTS_PER_MINUTE, MAX_BODY_BYTES } from '@relay/shared/vendor/limits.js'
import { Relay } from '../../support/relay.js'
import { numberedEvent } from '../../support/shop.js'

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '10' },
    workers: { type: 'string', default: '1,2,4,8' },
    out: { type: 'string', default: join(ROOT, 'docs/reports/budget-use.md') },
  },
})
const WINDOWS = Number(values.windows)
const WINDOW_MS = 60_000
const CUSTOMERS = 5_000
const PER_POST = 500
/** Windows' worth of backlog beyond those measured: what fills the first, and what is left over. */
const SPARE_WINDOWS = 2
/** A round trip takes 300 ms: 50 to 150 until the request counts, the rest until its answer. */
const LATENCY = { beforeMs: 50, beforeJitterMs: 100, afterMs: 150, afterJitterMs: 100 }

interface Measured {
  readonly workers: number
  /** Events that arrived in each window, the first excluded. */
  readonly windows: readonly number[]
  /** Share of the budget that was spent from the middle of the first window's to the middle of the last's. */
  readonly rate: number
  readonly peak: number
  readonly refused: number
  readonly requests: number
  readonly meanBody: number
}

async function filled(): Promise<Relay> {
  const relay = await Relay.start({ workers: 0, simulator: { record: 'counts', latency: LATENCY } })
  const elements = EVENTS_PER_MINUTE * (WINDOWS + 1 + SPARE_WINDOWS)
  for (let from = 0; from < elements; from += PER_POST) {
    const post = Array.from({ length: PER_POST }, (_, i) => {
      return numberedEvent(`customer-${(from + i) % CUSTOMERS}`, from + i)
    })
    const { status } = await relay.postElements(post)
    if (status !== 200) throw new Error(`a post was answered ${status}`)
  }
  return relay
}

async function measure(relay: Relay, workers: number): Promise<Measured> {
  const { record } = relay.simulator
  const windows: number[] = []
  await Promise.all(Array.from({ length: workers }, () => relay.addWorker()))
  // A backlog spends a window's budget at once: windows that began later might cut that in two.
  await relay.simulator.until(({ totals }) => totals.requests > 0)
  const startedMs = performance.now()
  const rate = spendingRate(relay)
  for (let window = 0; window <= WINDOWS; window += 1) {
    const before = record.totals.events
    await sleep(startedMs + (window + 1) * WINDOW_MS - performance.now())
    if (window > 0) windows.push(record.totals.events - before)
  }
  const [budgets] = relay.simulator.budgets()
  return {
    ...{ workers, windows, rate: await rate },
    peak: budgets?.events.peak ?? 0,
    refused: record.statuses.get(429) ?? 0,
    requests: record.totals.requests,
    meanBody: record.bodyBytes.summary().mean,
  }
}

/** Unlike what windows count, this does not depend on when they begin. */
async function spendingRate({ simulator }: Relay): Promise<number> {
  const spent = async (budgets: number): Promise<number> => {
    const isSpent = () => simulator.record.totals.events >= budgets * EVENTS_PER_MINUTE
    await simulator.until(isSpent, (WINDOWS + 2) * WINDOW_MS)
    return performance.now()
  }
  const firstMs = await spent(0.5)
  return (WINDOWS * WINDOW_MS) / ((await spent(WINDOWS + 0.5)) - firstMs)
}

function page(all: readonly Measured[]): string {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`
  const rows = all.map(({ workers, windows, rate, peak, refused, requests, meanBody }) => {
    const shares = windows.map((events) => events / EVENTS_PER_MINUTE)
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    const cells = [
      workers,
      percent(mean),
      percent(Math.min(...shares)),
      percent(rate),
      peak,
      refused,
      requests,
      percent(meanBody / MAX_BODY_BYTES),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return `# How much of a budget is used

Made by \`npm run measure:budgets\`: ${EVENTS_PER_MINUTE} events in any 60 s, a backlog that never ends, round trips of 300 ms, realtime lane;
${WINDOWS} windows one after the other, after the first. Targets: at least 99 % of the budget (mean), no window above ${EVENTS_PER_MINUTE}, no 429, mean body at least 95 % of ${MAX_BODY_BYTES} bytes.
The simulator counts, in windows that slide, at the moment a request arrives. The first window begins with the first request, as a
backlog spends a window's budget at once. The rate does not depend on when windows begin: ten budgets, over the time from half of
the first window's to half of the eleventh's.

| workers | used, mean | used, least | rate | most in any window | 429s | requests | mean body |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}
`
}

const counts = values.workers.split(',').map(Number)
const relays: Relay[] = []
try {
  while (relays.length < counts.length) relays.push(await filled())
  const measured = await Promise.all(relays.map((relay, i) => measure(relay, counts[i] ?? 0)))
  await writePage(values.out, page(measured))
  process.stdout.write(`${JSON.stringify(measured)}\nwritten: ${values.out}\n`)
} finally {
  await Promise.all(relays.map((relay) => relay.stop()))
}
