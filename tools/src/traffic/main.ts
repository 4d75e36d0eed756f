import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import process from 'node:process'
import { systemClock } from '@relay/shared/clock.js'
import { systemRandom } from '@relay/shared/random.js'
import { readOptions, USAGE, type TrafficOptions } from './options.js'
import { elementsDue, shopTraffic, type ShopElement } from './shop.js'
import { Producer } from './producer.js'

const EXIT_USAGE = 64
/** Posts in progress at once; beyond it the traffic falls behind rather than piling up. */
const MAX_IN_FLIGHT = 64
const TICK_MS = 20
const REPORT_EVERY_MS = 1_000

/** The settings that `npm start` keeps while it runs. */
function runningRelay(): Record<string, string> | null {
  try {
    return JSON.parse(readFileSync('.relay/running.json', 'utf8')) as Record<string, string>
  } catch {
    return null
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`)

interface Tally {
  accepted: number
  refused: number
  retries: number
  latenciesMs: number[]
  lastProblem: string
}

/** Posts one group until it is accepted or refused, as a careful producer would. */
async function deliver(
  producer: Producer,
  group: readonly ShopElement[],
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  const key = systemRandom.bytes(12).toString('hex')
  const startedAtMs = systemClock.monotonicMs()
  for (;;) {
    const answer = await producer.post(group, key)
    switch (answer.outcome) {
      case 'accepted':
        tally.accepted += group.length
        tally.latenciesMs.push(systemClock.monotonicMs() - startedAtMs)
        return
      case 'refused':
        tally.refused += group.length
        tally.lastProblem = `status ${answer.status}: ${answer.body.slice(0, 300)}`
        return
      case 'unavailable':
        tally.retries += 1
        tally.lastProblem = answer.reason
        if (isOver()) return
        await sleep(answer.retryAfterMs)
    }
  }
}

function reportLine(tally: Tally, elapsedMs: number): string {
  const { accepted, refused, retries, latenciesMs, lastProblem } = tally
  const sorted = latenciesMs.sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0)
  tally.latenciesMs = []
  tally.lastProblem = ''
  const facts = `${(elapsedMs / 1000).toFixed(0).padStart(5)} s  accepted ${accepted}`
  const trouble = refused + retries > 0 ? `  refused ${refused}  retries ${retries}` : ''
  const problem = lastProblem === '' ? '' : `  (${lastProblem})`
  return `${facts}  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms${trouble}${problem}`
}

async function run(options: TrafficOptions): Promise<Tally> {
  const producer = new Producer(options, MAX_IN_FLIGHT)
  const traffic = shopTraffic({ seed: options.seed, nowMs: () => systemClock.nowMs() })
  const tally: Tally = { accepted: 0, refused: 0, retries: 0, latenciesMs: [], lastProblem: '' }
  const inFlight = new Set<Promise<void>>()
  const startMs = systemClock.monotonicMs()
  let stopped = false
  let told = 0
  process.once('SIGINT', () => (stopped = true))
  process.once('SIGTERM', () => (stopped = true))
  const elapsedMs = () => systemClock.monotonicMs() - startMs
  const isOver = () => stopped || (options.durationMs !== null && elapsedMs() >= options.durationMs)
  const reports = setInterval(() => say(reportLine(tally, elapsedMs())), REPORT_EVERY_MS)
  while (!isOver()) {
    const due = elementsDue(elapsedMs(), options.rate)
    while (due - told >= options.postsOf && inFlight.size < MAX_IN_FLIGHT) {
      const group = Array.from({ length: options.postsOf }, () => traffic.next().value)
      told += group.length
      const delivery = deliver(producer, group, tally, isOver)
      inFlight.add(delivery)
      void delivery.finally(() => inFlight.delete(delivery))
    }
    await sleep(TICK_MS)
  }
  await Promise.all(inFlight)
  clearInterval(reports)
  producer.close()
  say(`${tally.accepted} elements accepted, ${tally.refused} refused`)
  return tally
}

const read = readOptions(process.argv.slice(2), process.env, runningRelay)
if ('problems' in read) {
  process.stderr.write([...read.problems, '', USAGE].join('\n').trimStart())
  process.exitCode = read.problems.length === 0 ? 0 : EXIT_USAGE
} else {
  const { refused } = await run(read.options)
  process.exitCode = refused > 0 ? 1 : 0
}
