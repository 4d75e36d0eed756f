import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { findChromium } from './fetch/chromium.js'
import { PRIVATE, ROOT } from './folders.js'
import { findKubectl, findPrometheus, findPrometheus3, findSpin } from './fetch/programs.js'
import { findRedisServer, NoRedisServer } from './fetch/redis.js'

const RESULT = join(PRIVATE, 'test', `result-${process.pid}.json`)

/** Runs Jest over the suite, or over what the arguments name, and closes with one plain line. */
async function main(args: readonly string[]): Promise<number> {
  await mkdir(join(PRIVATE, 'test'), { recursive: true })
  const [hasOwnRedis, ...missing] = await Promise.all([
    announceRedis(),
    ...WANTED.map(announce),
    ...(process.env.RELAY_TEST_SLOW === 'yes' ? WANTED_SLOW.map(announce) : []),
  ])
  const code = await jest(args, {
    ...process.env,
    RELAY_TEST_OWN_REDIS: hasOwnRedis ? 'yes' : 'no',
  })
  const result = existsSync(RESULT)
    ? (JSON.parse(readFileSync(RESULT, 'utf8')) as JestResult)
    : null
  await rm(RESULT, { force: true })
  // Once more where it is seen: at the top it has long scrolled away.
  for (const line of missing) if (line !== null) console.log(line)
  console.log(closingLine(result))
  return result === null && code === 0 ? 1 : code
}

/** Says which Redis the tests get; false: only that of `REDIS_URL`, none that they may kill. */
async function announceRedis(): Promise<boolean> {
  const given = process.env.REDIS_URL
  if (given) console.log('Redis for the tests: REDIS_URL, and for those that kill it:')
  try {
    const { path } = await findRedisServer({ report: console.log })
    console.log(`Redis for the tests: ${path}`)
    return true
  } catch (error) {
    if (!given || !(error instanceof NoRedisServer)) throw error
    console.log('none, so those are skipped')
    return false
  }
}

/** A program that tests look for; they are skipped without it, as a line says at the start and at the end. */
interface Wanted {
  readonly name: string
  readonly find: () => Promise<{ readonly path?: string } | { readonly problem: string }>
  readonly without: string
}

const WANTED: readonly Wanted[] = [
  {
    name: 'Prometheus',
    find: () => findPrometheus(console.log),
    without: 'rules and dashboards are not tried against one',
  },
  {
    name: 'Chromium',
    find: () => findChromium(console.log),
    without: 'the console is not tried in a browser',
  },
  { name: 'kubectl', find: findKubectl, without: 'no overlay is rendered' },
]
/** Slow tests alone use these. */
const WANTED_SLOW: readonly Wanted[] = [
  {
    name: 'Prometheus 3',
    find: findPrometheus3,
    without: 'rules are tried against Prometheus 2 alone',
  },
  { name: 'spin', find: findSpin, without: 'no model is searched' },
]

/** Fetches it when needed; the line that says what is skipped without it, or null. */
async function announce({ name, find, without }: Wanted): Promise<string | null> {
  const found = await find()
  const line =
    'problem' in found
      ? `NO ${name.toUpperCase()}: ${found.problem}; ${without}: SKIPPED.`
      : `${name} for the tests: ${found.path ?? 'yes'}`
  console.log(line)
  return 'problem' in found ? line : null
}

/** The part of Jest's `--json` result that counts. */
interface JestResult {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  /** Files that failed before any of their tests could run. */
  readonly numRuntimeErrorTestSuites: number
}

/** The last line of `npm test`. A run without a result is a failure. */
function closingLine(result: JestResult | null): string {
  if (result === null) return '0 passed, 1 failed, 0 skipped'
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites
  const skipped = result.numPendingTests + result.numTodoTests
  return `${result.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
}

function jest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const program = createRequire(import.meta.url).resolve('jest/bin/jest')
  const options = ['--maxWorkers=2', '--json', `--outputFile=${RESULT}`]
  return new Promise((resolve, reject) => {
    // Jest's report is on standard error; with --json its standard output repeats the file.
    const child = spawn(process.execPath, [program, ...options, ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => child.kill(signal))
    }
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof NoRedisServer)) throw error
  console.error(error.message)
  process.exitCode = 1
}
