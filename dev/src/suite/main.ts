import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { PRIVATE, ROOT } from '../folders.js'
import { findPrometheus } from '../prometheus/find-prometheus.js'
import { findRedisServer, NoRedisServer } from '../redis/find-server.js'
import { closingLine, type JestResult } from './closing-line.js'

const RESULT = join(PRIVATE, 'test', `result-${String(process.pid)}.json`)

/** Runs Jest over the suite, or over what the arguments name, and closes with one plain line. */
async function main(args: readonly string[]): Promise<number> {
  await mkdir(join(PRIVATE, 'test'), { recursive: true })
  const hasOwnRedis = await announceRedis()
  await announcePrometheus()
  const code = await jest(args, {
    ...process.env,
    RELAY_TEST_OWN_REDIS: hasOwnRedis ? 'yes' : 'no',
  })
  const result = existsSync(RESULT)
    ? (JSON.parse(readFileSync(RESULT, 'utf8')) as JestResult)
    : null
  await rm(RESULT, { force: true })
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

/** Fetches it when needed: tests look for it and are skipped where there is none. */
async function announcePrometheus(): Promise<void> {
  const found = await findPrometheus(console.log)
  if ('problem' in found) {
    console.log(`NO PROMETHEUS: ${found.problem}; rules and dashboards are not tried against one.`)
  } else console.log(`Prometheus for the tests: ${found.prometheus}`)
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
