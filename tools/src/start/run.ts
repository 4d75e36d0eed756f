import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError, EXIT_CONFIG, type ConfigFault } from '@relay/shared/config/fault.js'
import { banner } from './banner.js'
import { credentialsIn, withSecretFiles } from './credentials.js'
import { LogFile, readable } from './log-file.js'
import { BadPorts, planStart, type Environment, type Plan } from './plan.js'
import { startPrivateRedis } from './private-redis.js'
import { NoRedisServer } from '../fetch/redis.js'
import { Ended, startChild, type Child } from '../process/child.js'
import { runCommand } from '../process/command.js'
import { isPortBusy, isListening, LOOPBACK } from '../process/port.js'
import { WaitedInVain, waitFor } from '../wait-for.js'

export interface RunOptions {
  readonly env: Environment
  readonly entries: Entries
  /** Folder for data, logs and credentials. */
  readonly home: string
  readonly show: (line: string) => void
  /** Settles when somebody wants it all to end. */
  readonly stopped: Promise<unknown>
}

/** Runs relay until it is stopped or a part of it breaks; gives the exit status. */
export async function runRelay(options: RunOptions): Promise<number> {
  await mkdir(options.home, { recursive: true, mode: 0o700 })
  // It contains customers' data and secrets, also in files that Redis writes.
  await chmod(options.home, 0o700)
  try {
    const release = await takeRunLock(join(options.home, 'start.pid'))
    try {
      return await runAlone(options)
    } finally {
      release()
    }
  } catch (error) {
    if (!isForUser(error)) throw error
    options.show(error.message)
    return error instanceof BadPorts || error instanceof ConfigError ? EXIT_CONFIG : 1
  }
}

async function runAlone(options: RunOptions): Promise<number> {
  const { entries, home, show, stopped } = options
  const env = readSecrets(options.env)
  const credentials = await credentialsIn(join(home, 'credentials.json'))
  const fileAppId = await firstAppId(env.RELAY_WORKSPACES_FILE)
  // An empty variable is an unset one.
  const given = env.REDIS_URL === '' ? undefined : env.REDIS_URL
  // Ports first: a busy one should not cost the time that Redis takes.
  await refuseBusyPorts(planStart(env, '', credentials, fileAppId))
  const logDir = join(home, 'logs')
  const running = join(home, 'running.json')
  const stack = new Stack(logDir, show)
  const whenStopped = stopped.then(() => null)
  try {
    const begun = (async () => {
      const redisUrl = given ?? (await ownRedis(stack, home, show))
      const plan = planStart(env, redisUrl, credentials, fileAppId)
      // Before the services are ready: the command line finds an api that waits for Redis.
      await writeRunning(running, plan, env)
      await stack.startServices(plan, entries)
      return banner(plan, redisUrl, logDir)
    })()
    const started = begun.catch((error: unknown) => {
      if (error instanceof Ended) return error
      throw error
    })
    const first = await Promise.race([started, stack.broken, whenStopped])
    if (typeof first === 'string') show(first)
    const end = first instanceof Ended ? first : await Promise.race([stack.broken, whenStopped])
    if (end === null) return 0
    show(`${end.message}\nStopping the rest. Full logs: ${logDir}`)
    return end.exit.code === EXIT_CONFIG ? EXIT_CONFIG : 1
  } finally {
    await rm(running, { force: true })
    await stack.stop()
  }
}

const SETTING = /^(MOENGAGE_|RELAY_|REDIS_URL$|PORT$|OPS_PORT$)/

/**
 * Keeps the api's settings for the command line while npm start runs: with a real workspace only those
 * that npm start chose itself, as its key belongs in no file of ours.
 */
async function writeRunning(file: string, { simulator, apiEnv }: Plan, given: Environment) {
  await rm(file, { force: true })
  const isKept = (name: string): boolean =>
    SETTING.test(name) && (simulator !== null || name.endsWith('PORT') || !given[name])
  const settings = Object.entries(apiEnv).filter(([name]) => isKept(name))
  await writeFile(file, `${JSON.stringify(Object.fromEntries(settings), null, 2)}\n`, {
    mode: 0o600,
  })
}

async function ownRedis(stack: Stack, home: string, show: (line: string) => void): Promise<string> {
  const redis = await startPrivateRedis(join(home, 'redis'), show, stack.lineSink('redis'))
  stack.watch(redis.child)
  return redis.url
}

class PortBusy extends Error {
  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.name = 'PortBusy'
  }
}

async function refuseBusyPorts(plan: Plan): Promise<void> {
  const lines: string[] = []
  for (const planned of [plan.intake, plan.apiOps, plan.workerOps, plan.simulator]) {
    if (planned === null || !(await isPortBusy(planned.port))) continue
    const { what, port, variable } = planned
    const remedy = `end what uses it, or choose another: ${variable}=${port + 1000} npm start`
    lines.push(`Port ${port}, meant for ${what}, is busy: ${remedy}`)
  }
  if (lines.length > 0) throw new PortBusy(lines)
}

function isForUser(error: unknown): error is Error {
  return [NoRedisServer, AlreadyRunning, BadPorts, ConfigError, PortBusy, WaitedInVain].some(
    (kind) => error instanceof kind,
  )
}

/** For the example request only; the services say what is wrong with the file. */
async function firstAppId(file: string | undefined): Promise<string | null> {
  if (!file) return null
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as {
      workspaces?: readonly { appId?: string }[]
    }
    return parsed.workspaces?.[0]?.appId ?? null
  } catch {
    return null
  }
}

/** What is in files is given to the services as if it had been set: what is made up may stand beside it. */
function readSecrets(env: Environment): Environment {
  const faults: ConfigFault[] = []
  const given = withSecretFiles(env, faults)
  if (faults.length > 0) throw new ConfigError(faults)
  return given
}

/**
 * Settles at the first SIGINT, SIGTERM or SIGHUP. Later ones change nothing: npm passes on the
 * signal that the terminal has sent already, and stopping takes a few seconds at most.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve)
  })
}

class AlreadyRunning extends Error {
  constructor(pid: number) {
    super(
      `relay already runs from this folder (process ${pid}). ` +
        'Stop it first, or start another one from a different folder.',
    )
    this.name = 'AlreadyRunning'
  }
}

/**
 * Makes sure that one `npm start` at a time uses the folder's data: two Redis servers on one
 * append-only file would ruin it. Throws `AlreadyRunning`. Returns the release.
 */
async function takeRunLock(file: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => {
        rmSync(file, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(readFileSync(file, 'utf8'))
    if (await isRelay(holder)) throw new AlreadyRunning(holder)
    rmSync(file, { force: true })
  }
}

/** Whether that process lives and is a `start`: its number may have become another's. */
async function isRelay(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('start')
  } catch {
    const { code, stdout } = await runCommand('ps', ['-p', String(pid), '-o', 'args='])
    return code !== 0 || stdout.includes('start')
  }
}

/** Built files of the services. */
interface Entries {
  readonly api: string
  readonly worker: string
  readonly simulator: string
}

const READY_TIMEOUT_MS = 60_000
/** Together under the 5 s within which Ctrl-C ends everything. */
const SERVICE_STOP_MS = 3_000
const SIMULATOR_STOP_MS = 400
const REDIS_STOP_MS = 1_000

/** The processes of one `npm start`, started and stopped in their order of need. */
class Stack {
  private readonly logDir: string
  private readonly show: (line: string) => void
  private readonly children: Child[] = []
  private stopping = false
  private reportEnd: (end: Ended) => void = () => undefined
  /** Settles when a process ends that should not. */
  readonly broken = new Promise<Ended>((resolve) => {
    this.reportEnd = resolve
  })

  constructor(logDir: string, show: (line: string) => void) {
    this.logDir = logDir
    this.show = show
  }

  /** Writes a process's lines to its log file and shows those that matter. */
  lineSink(name: string): (line: string) => void {
    const file = new LogFile(this.logDir, name)
    return (line) => {
      file.add(line)
      const text = this.stopping ? null : readable(name, line)
      if (text !== null) this.show(text)
    }
  }

  /** Takes over a process that runs already. */
  watch(child: Child): void {
    this.children.push(child)
    void child.exited.then((exit) => {
      if (!this.stopping) this.reportEnd(new Ended(child.name, exit, child.lastLines()))
    })
  }

  /** Starts the services and waits until all are ready. */
  async startServices(plan: Plan, entries: Entries): Promise<void> {
    if (plan.simulator !== null) {
      const { port } = plan.simulator
      const simulator = await this.start('simulator', entries.simulator, plan.simulatorEnv)
      const isUp = async () => simulator.exit() !== null || (await isListening(port))
      await waitFor(isUp, { what: 'the simulator to listen', timeoutMs: READY_TIMEOUT_MS })
      if (simulator.exit() !== null) return
    }
    const api = await this.start('api', entries.api, plan.apiEnv)
    const worker = await this.start('worker', entries.worker, plan.workerEnv)
    await Promise.all([
      api.waitUntilReady(readiness(plan.apiOps.port), READY_TIMEOUT_MS),
      worker.waitUntilReady(readiness(plan.workerOps.port), READY_TIMEOUT_MS),
    ])
  }

  /** Ends everything: first who uses Redis and MoEngage, then these. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.stopNamed(['api', 'worker'], SERVICE_STOP_MS)
    await this.stopNamed(['simulator'], SIMULATOR_STOP_MS)
    await this.stopNamed(['redis'], REDIS_STOP_MS)
  }

  private async start(name: string, entry: string, env: Environment): Promise<Child> {
    const child = await startChild({ name, entry, env, onLine: this.lineSink(name) })
    this.watch(child)
    return child
  }

  private async stopNamed(names: readonly string[], timeoutMs: number): Promise<void> {
    const children = this.children.filter(({ name }) => names.includes(name))
    await Promise.all(children.map((child) => child.stop(timeoutMs)))
  }
}

function readiness(opsPort: number): string {
  return `http://${LOOPBACK}:${opsPort}/readyz`
}
