import { setMaxListeners } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { memoryBytes } from '@relay/tools/process/facts.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { nowMs, watchMachine } from './clock.js'
import { healRedis } from './faults/redis.js'
import { refusePoison } from './faults/vendor.js'
import { goneRightly } from './oracle/deliveries.js'
import { judge } from './oracle/judge.js'
import type { Disturbance, Evidence, Law, Violation } from './oracle/model.js'
import { DRAIN_WITHIN_MS, type Plot } from './plots/plot.js'
import { makeProducers } from './producers/producer.js'
import { Journal, type Mood } from './producers/journal.js'
import { Remains } from './stack/remains.js'
import { QUICK_TIMERS } from './stack/settings.js'
import { Stack } from './stack/stack.js'
import { withSteppingRedis } from './stack/stepping-redis.js'
import { Views } from './stack/views.js'

export interface RunOptions {
  readonly seed: number
  /** Elements a second, about. */
  readonly rate: number
  readonly plot: Plot
  readonly dir: string
  /** Folder of the relay that runs: the checkout, or a broken variant. */
  readonly root: string
  readonly say: (line: string) => void
}

export interface RunResult {
  readonly seed: number
  readonly injected: readonly Disturbance[]
  readonly posted: number
  readonly delivered: number
  readonly deadLetters: number
  readonly duplicates: ReadonlyMap<string, number>
  /** From the end of the load until the last acknowledged element was delivered and settled. */
  readonly drainMs: number
  /** Longest time after a fault until MoEngage took something again. */
  readonly recoveryMs: number
  readonly violations: readonly Violation[]
}

/** A post that hangs on a fault needs this long at most once all is well. */
const LAST_POSTS_MS = 30_000
/** After a fault and its lease another worker sends again and settles within this, ms. */
const SETTLED_WITHIN_MS = 3_000
const MAX_MEMORY_BYTES = 400_000_000

/** One run: load under faults, then peace, then the judgement. */
export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { dir, plot } = options
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const root = plot.steppingRedis
    ? await withSteppingRedis(options.root, basename(dir))
    : options.root
  const stack = await Stack.start({ ...options, root, conditions: plot.conditions })
  const remains = new Remains(stack.redis.port, stack.prefix)
  const disturbances: Disturbance[] = []
  const unwatch = watchMachine(disturbances)
  try {
    return await runOn(stack, remains, disturbances, options)
  } finally {
    unwatch()
    remains.close()
    await stack.close()
  }
}

async function runOn(
  stack: Stack,
  remains: Remains,
  disturbances: Disturbance[],
  options: RunOptions,
): Promise<RunResult> {
  const { seed, plot, say } = options
  const journal = new Journal()
  await refusePoison({ stack })
  const views = new Views(stack)
  const load = startLoad(stack, journal, options)
  const random = seededRandom(seed)
  const seen: Violation[] = []
  const breach = (law: Law, detail: string) => void seen.push({ law, detail })
  const { mood } = load
  const stage = { stack, remains, journal, random, mood, say, breach, views, disturbances }
  await plot
    .play(stage)
    .catch((error: unknown) => breach('the schedule can be played', String(error)))
  const healedMs = nowMs()
  await stack.heal()
  await healRedis(stack)
  await stack.ready().catch(() => undefined)
  const healedAtMs = plot.load ? nowMs() : null
  await load.end()
  const endedMs = nowMs()
  const drained = await drain(stack, remains, journal, plot.drainWithinMs ?? DRAIN_WITHIN_MS)
  const drainMs = nowMs() - endedMs
  await landed(stack)
  await views.stop()
  const memory = fatProcesses(stack)
  const injected = [...disturbances]
  const evidence = await gather(stack, remains, journal, views, injected, healedAtMs)
  // A request without an answer counts for a window from the moment it may still arrive at.
  const { requestTimeoutMs, arrivalGraceMs } = plot.conditions.timers
  const countsMs = evidence.limits.windowMs + requestTimeoutMs + arrivalGraceMs
  await Promise.all(stack.services.map((service) => service.stop()))
  const { violations, duplicates } = judge(evidence)
  const hasStalled = disturbances.some((d) => d.name === 'machine' && d.toMs >= healedMs)
  const mayKeepClaims = plot.conditions.timers !== QUICK_TIMERS || hasStalled
  const leaks = drained === null ? await remains.leaks(countsMs, !mayKeepClaims) : []
  const result: RunResult = {
    ...{ seed, injected, duplicates, drainMs },
    posted: journal.acknowledged,
    delivered: stack.vendor.arrived.length,
    deadLetters: evidence.deadLetters.length,
    recoveryMs: longestRecovery(evidence),
    violations: [
      ...violations,
      ...seen,
      ...journal.refusals.map(as('good posts are not refused')),
      ...stack.deaths.map(as('processes live')),
      ...(drained === null ? [] : [drained]).map(as('everything drains')),
      ...[...leaks, ...memory].map(as('nothing leaks')),
    ],
  }
  await keep(stack.dir, evidence, result)
  return result
}

async function gather(
  stack: Stack,
  remains: Remains,
  { posted, erasures, forgets }: Journal,
  { samples }: Views,
  disturbances: readonly Disturbance[],
  healedAtMs: number | null,
): Promise<Evidence> {
  const { vendor } = stack
  const { limits, timers } = stack.conditions
  const requests = await vendor.requests((port) => stack.sendersAt(port))
  return {
    ...{ posted, erasures, forgets, samples, disturbances, limits, healedAtMs },
    leaseMs: timers.leaseMs,
    requestTimeoutMs: timers.requestTimeoutMs,
    arrived: vendor.arrived,
    requests: requests.map((request) => {
      const answeredAtMs = stack.answers.passedAtMs(request.requestId)
      return answeredAtMs === undefined ? request : { ...request, answeredAtMs }
    }),
    deadLetters: await remains.deadLetters(),
    settleWithinMs: timers.leaseMs + timers.arrivalGraceMs + SETTLED_WITHIN_MS,
  }
}

const as =
  (law: Violation['law']) =>
  (detail: string): Violation => ({ law, detail })

/** The usual producers, until `end`, which carries their last posts through. */
function startLoad(stack: Stack, journal: Journal, { seed, rate, plot }: RunOptions) {
  const mood: Mood = { poisonShare: 0, impatientShare: 0, quiet: false }
  const stopped = new AbortController()
  const givenUp = new AbortController()
  setMaxListeners(0, stopped.signal, givenUp.signal)
  const producers = plot.load ? makeProducers(stack, journal, { seed, rate, mood }) : []
  const posting = Promise.all(producers.map((one) => one.run(stopped.signal, givenUp.signal)))
  return {
    mood,
    end: async () => {
      stopped.abort()
      await Promise.race([posting, sleep(LAST_POSTS_MS)])
      givenUp.abort()
      await posting
    },
  }
}

/** Waits until all that was acknowledged has arrived and nothing waits; null, or what is left. */
async function drain(
  stack: Stack,
  remains: Remains,
  journal: Journal,
  withinMs: number,
): Promise<string | null> {
  const deadlineMs = nowMs() + withinMs
  const mayBeGone = goneRightly(journal)
  for (;;) {
    await stack.vendor.readArrivals()
    const seen = new Set(stack.vendor.arrived.map((a) => `${a.customer} ${a.seq}`))
    const left = journal.posted.filter(
      (p) => p.acknowledged && !p.poison && !seen.has(`${p.customer} ${p.seq}`) && !mayBeGone(p),
    )
    const waiting = await remains.waiting()
    if (left.length === 0 && waiting === 0) return null
    if (nowMs() > deadlineMs) {
      return `${left.length} elements not delivered, ${waiting} chunks waiting after ${withinMs} ms`
    }
    await sleep(200)
  }
}

/** Until MoEngage has nothing open: what it processes late counts for every law. */
async function landed({ vendor, conditions: { timers } }: Stack): Promise<void> {
  const isOver = async () => (await vendor.requests()).every(({ fate }) => fate !== 'open')
  const timeoutMs = timers.requestTimeoutMs + timers.arrivalGraceMs + SETTLED_WITHIN_MS
  // One that MoEngage never ends is judged as it is.
  await waitFor(isOver, { what: 'the last request', timeoutMs, everyMs: 200 }).catch(
    () => undefined,
  )
  await vendor.readArrivals()
}

function fatProcesses(stack: Stack): string[] {
  return stack.services.flatMap(({ name, pid }) => {
    const bytes = pid === null ? 0 : memoryBytes(pid)
    return bytes > MAX_MEMORY_BYTES ? [`${name} takes ${bytes} bytes`] : []
  })
}

function longestRecovery({ disturbances, requests }: Evidence): number {
  const taken = requests.flatMap(({ fate, arrivedAtMs }) =>
    fate === 'accepted' && arrivedAtMs !== null ? [arrivedAtMs] : [],
  )
  const recoveries = disturbances.map(({ toMs }) => {
    const next = taken.find((atMs) => atMs >= toMs)
    return next === undefined ? 0 : next - toMs
  })
  return Math.max(0, ...recoveries)
}

/** For the analysis of a failure. */
async function keep(dir: string, evidence: Evidence, result: RunResult): Promise<void> {
  const write = (name: string, value: unknown) =>
    writeFile(join(dir, name), JSON.stringify(value, null, 1))
  await Promise.all([
    write('posted.json', evidence.posted),
    write('arrived.json', evidence.arrived),
    write('requests.json', evidence.requests),
    write('disturbances.json', evidence.disturbances),
    write('violations.json', result.violations),
    write('samples.json', evidence.samples),
    write('healed.json', evidence.healedAtMs),
  ])
}
