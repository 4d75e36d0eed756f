import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { findChromium } from '../chromium/find-chromium.js'
import { PRIVATE, ROOT } from '../folders.js'
import { fetchKubectl } from '../kubernetes/find-kubectl.js'
import { findPrometheus, findPrometheus3 } from '../prometheus/find-prometheus.js'
import { findRedisServer, NoRedisServer } from '../redis/find-server.js'
import { fetchSpin } from '../spin/find-spin.js'
import { closingLine, type JestResult } from './closing-line.js'

const RESULT = join(PRIVATE, 'test', `result-${String(process.pid)}.json`)

/** Runs Jest over the suite, or over what the arguments name, and closes with one plain line. */
async function main(args: readonly string[]): Promise<number> {
  await mkdir(join(PRIVATE, 'test'), { recursive: true })
  const [hasOwnRedis, ...missing] = await Promise.all([
    announceRedis(),
    announcePrometheus(),
    announceChromium(),
    announceKubectl(),
    ...(process.env.RELAY_TEST_SLOW === 'yes' ? [announcePrometheus3(), announceSpin()] : []),
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

/** Fetches it when needed: tests look for it and are skipped where there is none, as the line says. */
async function announcePrometheus(): Promise<string | null> {
  const found = await findPrometheus(console.log)
  if (!('problem' in found)) {
    console.log(`Prometheus for the tests: ${found.prometheus}`)
    return null
  }
  return told(
    `NO PROMETHEUS: ${found.problem}; rules and dashboards are not tried against one: SKIPPED.`,
  )
}

/** The same with Prometheus 3, which slow tests alone use. */
async function announcePrometheus3(): Promise<string | null> {
  const found = await findPrometheus3()
  return 'problem' in found
    ? told(
        `NO PROMETHEUS 3: ${found.problem}; rules are tried against Prometheus 2 alone: SKIPPED.`,
      )
    : null
}

/** The same with spin, which searches the models. */
async function announceSpin(): Promise<string | null> {
  const problem = await fetchSpin()
  return problem === null ? null : told(`NO SPIN: ${problem}; no model is searched: SKIPPED.`)
}

/** The same with kubectl, which renders the manifests. */
async function announceKubectl(): Promise<string | null> {
  const problem = await fetchKubectl()
  return problem === null ? null : told(`NO KUBECTL: ${problem}; no overlay is rendered: SKIPPED.`)
}

/** The same with a browser. */
async function announceChromium(): Promise<string | null> {
  const found = await findChromium(console.log)
  if (!('problem' in found)) {
    console.log(`Chromium for the tests: ${found.program.path}`)
    return null
  }
  return told(`NO CHROMIUM: ${found.problem}; the console is not tried in a browser: SKIPPED.`)
}

function told(line: string): string {
  console.log(line)
  return line
}

function jest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const program = join(
    createRequire(import.meta.url).resolve('jest/package.json'),
    '..',
    'bin',
    'jest.js',
  )
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
    child.once('close', (code) => {
      resolve(code ?? 1)
    })
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof NoRedisServer)) throw error
  console.error(error.message)
  process.exitCode = 1
}
