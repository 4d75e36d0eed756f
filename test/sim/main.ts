import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PRIVATE, ROOT, temporaryFolder } from '@relay/tools/folders.js'
import { startRedis } from '../support/redis/test-redis.js'
import { OwnTime } from './own-time.js'
import { loadRelay } from './relay.js'
import { runSeed, type Report } from './run.js'
import { controlOf, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js'
import { Wire } from './wire.js'

/** The order of HGETALL depends on Redis' own seed beyond these. */
const REDIS_SETTINGS = [
  ...['--hash-max-listpack-entries', '1000000', '--hash-max-listpack-value', '100000000'],
  ...['--zset-max-listpack-entries', '1000000', '--zset-max-listpack-value', '100000000'],
]
/** Lines of the trace before a broken law, and after it. */
const LINES_BEFORE = 50
const LINES_AFTER = 5

const USAGE = `npm run sim -- --scenario NAME --seeds FROM-TO   run seeds of a scenario
             --trace SEED          write the whole trace of one seed to .relay/sim/
             --without I,J,…       leave out faults by their number in the trace
             --minimise SEED       leave out every fault that a broken law does not need
             --control             the same load without faults, within tighter bounds
             --seconds N           a shorter run
             --own-time            scripts as they are, expiries and messages of Redis itself (needs cc)
             --root FOLDER         a variant of relay instead of the checkout

Scenarios:
${Object.entries(SCENARIOS)
  .map(([name, { what }]) => `  ${name.padEnd(12)} ${what}`)
  .join('\n')}
`

interface Asked {
  readonly name: string
  readonly seeds: readonly number[]
  readonly tracesAll: boolean
  readonly minimises: boolean
  readonly without: ReadonlySet<number>
  readonly root: string
  readonly isControl: boolean
  readonly hasOwnTime: boolean
  readonly seconds: number | null
}

function readArguments(): Asked | null {
  const { values } = parseArgs({
    options: {
      ...{ scenario: { type: 'string', default: 'mixed' }, seeds: { type: 'string' } },
      ...{ trace: { type: 'string' }, without: { type: 'string', default: '' } },
      ...{ minimise: { type: 'string' }, root: { type: 'string', default: ROOT } },
      ...{ control: { type: 'boolean', default: false }, seconds: { type: 'string' } },
      'own-time': { type: 'boolean', default: false },
    },
  })
  const { scenario: name, trace, minimise, root, control: isControl } = values
  const range = /^(\d+)(?:-(\d+))?$/.exec(trace ?? minimise ?? values.seeds ?? '')
  if (range === null || !Object.hasOwn(SCENARIOS, name)) return null
  const from = Number(range[1])
  const count = Number(range[2] ?? range[1]) - from + 1
  return {
    hasOwnTime: values['own-time'],
    ...{ name, root, isControl, tracesAll: trace !== undefined, minimises: minimise !== undefined },
    seeds: Array.from({ length: count }, (_, i) => from + i),
    seconds: values.seconds === undefined ? null : Number(values.seconds),
    without: new Set(values.without.split(',').filter(Boolean).map(Number)),
  }
}

async function main(): Promise<number> {
  const asked = readArguments()
  if (asked === null) {
    process.stdout.write(USAGE)
    return 64
  }
  const dir = await temporaryFolder('sim')
  const socket = join(dir, 'redis.sock')
  const own = asked.hasOwnTime ? await OwnTime.build(dir) : null
  const extra = [...REDIS_SETTINGS, '--unixsocket', socket]
  const redis = await startRedis({ dir, extra, env: own?.environment ?? {} })
  const wire = await Wire.open({ path: socket })
  await own?.listen(await Wire.open({ path: socket }))
  try {
    return await runAll(asked, wire, own)
  } finally {
    wire.close()
    own?.close()
    await redis.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

async function runAll(asked: Asked, wire: Wire, own: OwnTime | null): Promise<number> {
  const { name, seeds, without, tracesAll, minimises, root, isControl, seconds } = asked
  const relay = await loadRelay(root)
  const { [name as ScenarioName]: faulty } = SCENARIOS
  const whole: Scenario = isControl ? controlOf(faulty) : faulty
  const scenario = seconds === null ? whole : { ...whole, durationMs: seconds * 1_000 }
  const reports: Report[] = []
  for (const seed of seeds) {
    const run = (left: ReadonlySet<number>) =>
      runSeed({ relay, wire, own, scenario, seed, without: left })
    const report = await run(without)
    // The trace itself would fill the memory.
    reports.push({ ...report, lines: [] })
    print(report)
    if (tracesAll) await writeTrace(name, report)
    if (minimises) await minimise(report, run)
  }
  const broken = reports.filter(({ violations }) => violations.length > 0)
  const simulatedMs = reports.reduce((sum, report) => sum + report.simulatedMs, 0)
  const realMs = reports.reduce((sum, report) => sum + report.realMs, 0)
  say(`${name}${isControl ? ' (control)' : ''}: ${reports.length} seeds, ${(simulatedMs / 3_600_000).toFixed(1)} h simulated, ${(simulatedMs / realMs).toFixed(0)} times real time, ${broken.length} broke a law${broken.length > 0 ? `: ${broken.map(({ seed }) => seed).join(' ')}` : ''}`) // prettier-ignore
  return broken.length === 0 ? 0 : 1
}

function print(report: Report): void {
  const { seed, trace, acked, requests, again, longestStallMs, simulatedMs, realMs, faults } =
    report
  say(
    [
      `seed ${seed} trace ${trace}: ${faults} faults, ${acked} acknowledged`,
      `${requests} requests, ${again} again, stall ${(longestStallMs / 1_000).toFixed(0)} s`,
      `${(simulatedMs / 1_000).toFixed(0)} s in ${(realMs / 1_000).toFixed(1)} s`,
    ].join(', '),
  )
  const [first] = report.violations
  if (first === undefined) return
  for (const { law, detail, atMs } of report.violations.slice(0, 5)) {
    say(`  LAW BROKEN at ${atMs.toFixed(0)}: ${law}: ${detail}`)
  }
  say(
    report.lines.slice(Math.max(0, first.line - LINES_BEFORE), first.line + LINES_AFTER).join('\n'),
  )
}

async function writeTrace(name: string, { seed, lines }: Report): Promise<void> {
  const file = join(PRIVATE, `sim-${name}-${seed}.txt`)
  await writeFile(file, `${lines.join('\n')}\n`)
  say(`trace: ${file}`)
}

/** Leaves out one fault after the other, as long as the first law stays broken. */
async function minimise(
  { violations, faults }: Report,
  run: (without: ReadonlySet<number>) => Promise<Report>,
) {
  // prettier-ignore
  const law = violations[0]?.law
  if (law === undefined) return
  const without = new Set<number>()
  for (let i = faults - 1; i >= 0; i--) {
    const tried = await run(new Set([...without, i]))
    if (tried.violations.some((violation) => violation.law === law)) without.add(i)
  }
  say(`${law} needs only the faults that remain: --without ${[...without].sort((a, b) => a - b).join(',')}`) // prettier-ignore
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await main()
