// Installs what is missing before anything else of relay can run. Only Node's own modules are
// available here: in a fresh clone there is nothing else.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const LOCKFILE = join(ROOT, 'package-lock.json')
const STAMP = join(ROOT, 'node_modules', '.relay-stamp')
const PRIVATE = join(ROOT, '.relay')
const LOCK = join(PRIVATE, 'install.lock')
/** Longer than any install seen; an older lock was left by a process that died. */
const STALE_LOCK_MS = 10 * 60_000
const PROGRESS_MS = 5_000
const MIN_NODE = [20, 19]

/** Runs `npm ci` when node_modules is missing or belongs to another package-lock.json. */
export async function ensureInstalled() {
  refuseOldNode()
  if (isInstalled()) return
  const unlock = await lock()
  // Another process may have installed while this one waited for the lock.
  if (!isInstalled()) {
    console.log('Installing dependencies (npm ci) …')
    const done = reportProgress()
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await run(...npm(args), { quiet: true })
    done()
    writeFileSync(STAMP, fingerprint())
  }
  unlock()
}

/**
 * Compiles the given TypeScript projects, or all of them. Incremental: without changes it takes
 * about a second.
 */
export async function build(projects = []) {
  const isFirst = !existsSync(join(ROOT, 'shared', 'dist'))
  if (isFirst) console.log('Compiling TypeScript (tsc -b) …')
  const done = isFirst ? reportProgress() : () => undefined
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '-b', ...projects.map((project) => join(ROOT, project))])
  done()
}

/**
 * Runs a command in the foreground and ends this process with its status when it fails. With
 * `quiet` its output appears only when it failed. A signal to this process reaches the command too.
 */
export async function run(command, args, { quiet = false, env = process.env } = {}) {
  const code = await status(command, args, { quiet, env })
  if (code !== 0) process.exit(code)
}

/** As `run`, but gives the exit status back. */
export function status(command, args, { quiet = false, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit']
    const child = spawn(command, args, { cwd: ROOT, env, stdio })
    const held = []
    child.stdout?.on('data', (bytes) => held.push(bytes))
    child.stderr?.on('data', (bytes) => held.push(bytes))
    const forward = (signal) => child.kill(signal)
    process.on('SIGINT', forward)
    process.on('SIGTERM', forward)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('SIGINT', forward)
      process.off('SIGTERM', forward)
      if (code !== 0) process.stderr.write(Buffer.concat(held))
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
}

/** Reports how long npm or tsc has run, as they print nothing, until the returned function is called. */
function reportProgress() {
  const began = performance.now()
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`  … ${String(seconds)} s`)
  }, PROGRESS_MS)
  return () => clearInterval(timer)
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
  console.error(
    `relay needs Node ${MIN_NODE.join('.')} or newer; this is ${process.version}. Install Node 24 from https://nodejs.org.`,
  )
  process.exit(1)
}

function isInstalled() {
  const stamp = read(STAMP)
  if (stamp !== null) return stamp === fingerprint()
  // An install by hand leaves npm's own record, written last.
  const record = modifiedMs(join(ROOT, 'node_modules', '.package-lock.json'))
  if (record === null || record < modifiedMs(LOCKFILE)) return false
  writeFileSync(STAMP, fingerprint())
  return true
}

function fingerprint() {
  return createHash('sha256').update(readFileSync(LOCKFILE)).digest('hex')
}

function npm(args) {
  const cli = process.env.npm_execpath
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args]
}

/** Waits for the install lock and returns its release, which also happens when this process exits. */
async function lock() {
  mkdirSync(PRIVATE, { recursive: true })
  for (;;) {
    try {
      mkdirSync(LOCK)
      const release = () => rmdirSync(LOCK)
      process.once('exit', release)
      return () => {
        process.off('exit', release)
        release()
      }
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const since = modifiedMs(LOCK)
    if (since !== null && Date.now() - since > STALE_LOCK_MS) rmdirSync(LOCK)
    else await sleep(200)
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}
