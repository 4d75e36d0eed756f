import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '@relay/dev/folders.js'
import { systemClock } from '@relay/shared/clock.js'
import { FAULTS } from './faults/all.js'
import { parseOptions, USAGE, type Options } from './options.js'
import { MUTANTS } from './mutants/mutants.js'
import { buildMutant } from './mutants/tree.js'
import { TABLE_HEAD, tableRow, violationLines } from './report.js'
import { runOnce } from './run.js'

const EXIT_USAGE = 64
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
}

async function main(): Promise<number> {
  const freshSeed = 1 + (systemClock.nowMs() % 1_000_000)
  const options = parseOptions(process.argv.slice(2), Math.floor(freshSeed))
  if (options instanceof Error) {
    say(`${options.message}\n${USAGE}`)
    return options.message === '' ? 0 : EXIT_USAGE
  }
  if (options === 'list') {
    say(FAULTS.map(({ name }) => name).join('\n'))
    say(MUTANTS.map(({ name, breaks }) => `--mutant ${name}: ${breaks}`).join('\n'))
    return 0
  }
  return runAll(options)
}

async function runAll(options: Options): Promise<number> {
  const { faults: wanted } = options
  const faults = FAULTS.filter(
    ({ name, slow }) => wanted?.some((w) => name.startsWith(w)) ?? slow !== true,
  )
  if (faults.length === 0) {
    say('no fault has such a name; --list prints them')
    return EXIT_USAGE
  }
  const root = await rootOf(options.mutant)
  if (root === null) {
    say('no mutant has that name; --list prints them')
    return EXIT_USAGE
  }
  const rows: string[] = []
  let failed = 0
  for (let i = 0; i < options.runs; i += 1) {
    const seed = options.seed + i
    const dir = join(PRIVATE, 'faults', String(seed))
    say(`seed ${String(seed)}`)
    const result = await runOnce({ ...options, seed, faults, dir, root, say })
    rows.push(tableRow(result))
    say(rows.at(-1) ?? '')
    for (const line of violationLines(result)) say(line)
    if (result.violations.length > 0) {
      failed += 1
      say(`  logs and evidence: ${dir}; again: --seed ${String(seed)}`)
    } else if (!options.keep) await rm(dir, { recursive: true, force: true })
  }
  say(`\n${[TABLE_HEAD, ...rows].join('\n')}\n`)
  say(
    failed === 0
      ? 'Every law held.'
      : `${String(failed)} of ${String(options.runs)} runs broke a law.`,
  )
  if (options.record) await record(options, rows)
  return failed === 0 ? 0 : 1
}

/** The folder of the relay to run; null when there is no such mutant. */
async function rootOf(mutantName: string | null): Promise<string | null> {
  if (mutantName === null) return ROOT
  const mutant = MUTANTS.find(({ name }) => name === mutantName)
  return mutant === undefined ? null : buildMutant(mutant)
}

async function record({ durationMs, rate }: Options, rows: readonly string[]): Promise<void> {
  const date = new Date(systemClock.nowMs()).toISOString().slice(0, 10)
  const title = `${date}: ${String(rows.length)} runs of ${String(durationMs / 1000)} s, ${String(rate)} elements/s`
  const text = `\n### ${title}\n\n${[TABLE_HEAD, ...rows].join('\n')}\n`
  await appendFile(join(ROOT, 'docs/reliability.md'), text)
}

process.exit(await main())
