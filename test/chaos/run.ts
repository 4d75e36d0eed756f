import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { nowMs } from './clock.js'
import { healRedis } from './faults/redis.js'
import { refusePoison } from './faults/vendor.js'
import { judge } from './oracle/judge.js'
import type { Disturbance, Evidence, Violation } from './oracle/model.js'
import type { Plot } from './plots/plot.js'
import { makeProducers } from './producers/crowd.js'
import { Journal } from './producers/journal.js'
import { MachineWatch } from './stack/machine.js'
import { Remains } from './stack/remains.js'
import { Stack } from './stack/stack.js'

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
const MOST_MEMORY_BYTES = 400_000_000

/** One run: load under faults, then peace, then the judgement. */
export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { dir, plot } = options
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const stack = await Stack.start({ ...options, conditions: plot.conditions })
  const remains = new Remains(stack.redis.port, stack.prefix)
  const machine = new MachineWatch()
  try {
    return await runOn(stack, remains, machine, options)
  } finally {
    machine.stop()
    remains.close()
    await stack.close()
  }
}

async function runOn(
  stack: Stack,
  remains: Remains,
  machine: MachineWatch,
  options: RunOptions,
): Promise<RunResult> {
  const { seed, plot, say } = options
  const { limits } = plot.conditions
  const journal = new Journal()
  await refusePoison({ stack })
  const load = startLoad(stack, journal, options)
  const random = seededRandom(seed)
  const planned = await plot.play({ stack, remains, journal, random, poison: load.poison, say })
  await stack.heal()
  await healRedis(stack)
  await load.end()
  const endedMs = nowMs()
  const drained = await drain(stack, remains, journal, plot.drainWithinMs)
  const drainMs = nowMs() - endedMs
  const memory = fatProcesses(stack)
  const injected = [...planned, ...machine.stalls]
  const evidence: Evidence = {
    posted: journal.posted,
    arrived: stack.vendor.arrived,
    requests: await stack.vendor.requests(),
    disturbances: injected,
    deadLetters: await remains.deadLetters(),
    limits,
  }
  await Promise.all(stack.services.map((service) => service.stop()))
  const { violations, duplicates } = judge(evidence)
  const leaks = drained === null ? await remains.leaks(limits.windowMs + 2_100) : []
  const result: RunResult = {
    ...{ seed, injected, duplicates, drainMs },
    posted: journal.acknowledged,
    delivered: stack.vendor.arrived.length,
    deadLetters: evidence.deadLetters.length,
    recoveryMs: longestRecovery(evidence),
    violations: [
      ...violations,
      ...journal.refusals.map(as('good posts are not refused')),
      ...stack.deaths.map(as('processes live')),
      ...(drained === null ? [] : [drained]).map(as('everything drains')),
      ...[...leaks, ...memory].map(as('nothing leaks')),
    ],
  }
  await keep(stack.dir, evidence, result)
  return result
}

const as =
  (law: Violation['law']) =>
  (detail: string): Violation => ({ law, detail })

/** The usual producers, until `end`, which carries their last posts through. */
function startLoad(stack: Stack, journal: Journal, { seed, rate, plot }: RunOptions) {
  let poisonShare = 0
  const stopped = new AbortController()
  const givenUp = new AbortController()
  setMaxListeners(0, stopped.signal, givenUp.signal)
  const producers = plot.load
    ? makeProducers(stack, journal, { seed, rate, poisonShare: () => poisonShare })
    : []
  const posting = Promise.all(producers.map((one) => one.run(stopped.signal, givenUp.signal)))
  return {
    poison: (share: number) => (poisonShare = share),
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
  for (;;) {
    await stack.vendor.readArrivals()
    const seen = new Set(stack.vendor.arrived.map((a) => `${a.customer} ${String(a.seq)}`))
    const left = journal.posted.filter(
      (p) => p.acknowledged && !p.poison && !seen.has(`${p.customer} ${String(p.seq)}`),
    )
    const waiting = await remains.waiting()
    if (left.length === 0 && waiting === 0) return null
    if (nowMs() > deadlineMs) {
      return `${String(left.length)} elements not delivered, ${String(waiting)} chunks waiting after ${String(withinMs)} ms`
    }
    await sleep(200)
  }
}

function fatProcesses(stack: Stack): string[] {
  return stack.services.flatMap(({ name, pid }) => {
    if (pid === null) return []
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
    const bytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
    return bytes > MOST_MEMORY_BYTES ? [`${name} takes ${String(bytes)} bytes`] : []
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

/** For whoever looks into a failure. */
async function keep(dir: string, evidence: Evidence, result: RunResult): Promise<void> {
  const write = (name: string, value: unknown) =>
    writeFile(join(dir, name), JSON.stringify(value, null, 1))
  await Promise.all([
    write('posted.json', evidence.posted),
    write('arrived.json', evidence.arrived),
    write('requests.json', evidence.requests),
    write('disturbances.json', evidence.disturbances),
    write('violations.json', result.violations),
  ])
}
