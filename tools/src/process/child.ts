import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { waitFor } from '../wait-for.js'
import { call } from '@relay/shared/process/http-call.js'
import type { Writable } from 'node:stream'

export interface ChildOptions {
  /** For messages. */
  readonly name: string
  /** A `.ts` file is run from source, a `.js` or `.mjs` file as it is. */
  readonly entry?: string
  /** Instead of `entry`: any program. */
  readonly command?: string
  readonly args?: readonly string[]
  /** All it gets, besides PATH and HOME: nothing of the caller's own settings leaks in. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly onLine?: (line: string) => void
}

/** A line of a service's log. */
export type LogRecord = Readonly<Record<string, unknown>>

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running process in its own group, which always dies with this process. */
export interface Child {
  readonly name: string
  readonly pid: number
  /** Settles when it has ended and its output is complete. */
  readonly exited: Promise<Exit>
  exit(): Exit | null
  /** The last lines of what it wrote, standard output and error together. */
  lastLines(): readonly string[]
  /** The JSON lines among them, parsed; the oldest go first when there are very many. */
  logs(): readonly LogRecord[]
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>
  /** Waits for the URL to answer 200; throws at once when the process ends before. */
  waitUntilReady(url: string, timeoutMs?: number): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL when it is still there after the time. */
  stop(timeoutMs?: number): Promise<Exit>
  /** SIGSTOP, as a process that hangs. */
  pause(): void
  resume(): void
}

const KEPT_LINES = 400
const KEPT_LOGS = 100_000

export async function startChild(options: ChildOptions): Promise<Child> {
  const [command, ...args] = commandLine(options)
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...baseEnvironment(), ...options.env },
    // A separate group: the terminal's Ctrl-C does not reach it, and all of it can be killed.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  await once(child, 'spawn')
  const pid = child.pid
  if (pid === undefined) throw new Error(`${options.name} has no process id`)
  dieWithParent(pid)
  const output = new Output(options.onLine)
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => output.add(line))
  }
  let exit: Exit | null = null
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      hasEnded(pid)
      exit = { code, signal }
      resolve(exit)
    })
  })
  return running(options.name, pid, output, exited, () => exit)
}

function running(
  name: string,
  pid: number,
  output: Output,
  exited: Promise<Exit>,
  exit: () => Exit | null,
): Child {
  const kill = (signal: NodeJS.Signals) => {
    if (exit() === null) signalGroup(pid, signal)
  }
  const isOver = (): never => {
    throw new Ended(name, exit() ?? { code: null, signal: null }, output.lines)
  }
  return {
    name,
    pid,
    exited,
    exit,
    lastLines: () => output.lines,
    logs: () => output.logs,
    kill,
    pause: () => kill('SIGSTOP'),
    resume: () => kill('SIGCONT'),
    waitForLine: async (pattern, timeoutMs = 30_000) => {
      const find = () => output.lines.find((line) => pattern.test(line))
      const what = `${name} to print ${pattern}`
      await waitFor(() => exit() !== null || find(), { what, timeoutMs })
      return find() ?? isOver()
    },
    waitUntilReady: async (url, timeoutMs = 30_000) => {
      const isReady = async () => (await httpStatus(url)) === 200
      const what = `${name} to answer 200 at ${url}`
      await waitFor(() => exit() !== null || isReady(), { what, timeoutMs, everyMs: 50 })
      if (exit() !== null) isOver()
    },
    stop: async (timeoutMs = 10_000) => {
      kill('SIGCONT')
      kill('SIGTERM')
      const timer = setTimeout(kill, timeoutMs, 'SIGKILL')
      const end = await exited
      clearTimeout(timer)
      return end
    },
  }
}

/** Thrown when a process that should run has ended. */
export class Ended extends Error {
  readonly exit: Exit
  constructor(name: string, exit: Exit, lines: readonly string[]) {
    const how = exit.signal ?? `status ${exit.code}`
    super(`${name} ended with ${how}; its last lines:\n${lines.slice(-20).join('\n')}`)
    this.name = 'Ended'
    this.exit = exit
  }
}

class Output {
  readonly lines: string[] = []
  readonly logs: LogRecord[] = []
  private readonly onLine: ((line: string) => void) | undefined

  constructor(onLine?: (line: string) => void) {
    this.onLine = onLine
  }

  add(line: string): void {
    this.lines.push(line)
    if (this.lines.length > KEPT_LINES) this.lines.shift()
    const record = parseLog(line)
    if (record !== null) this.logs.push(record)
    if (this.logs.length > KEPT_LOGS) this.logs.splice(0, KEPT_LOGS / 2)
    this.onLine?.(line)
  }
}

/** A line of JSON log, or null for any other line. */
export function parseLog(line: string): LogRecord | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line) as LogRecord
  } catch {
    return null
  }
}

function commandLine({ name, entry, command, args = [] }: ChildOptions): [string, ...string[]] {
  if (command !== undefined) return [command, ...args]
  if (entry === undefined) throw new Error(`${name} has neither entry nor command`)
  const source = entry.endsWith('.ts') ? ['--conditions=@relay/source', '--import', 'tsx'] : []
  return [process.execPath, ...source, entry, ...args]
}

function baseEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TZ, LANG } = process.env
  return { PATH, HOME, TZ, LANG }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // Gone between its end and the news of it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Reads "+ pid" and "- pid" lines. When its input ends, because the process that wrote them is
 * gone, however it went, it kills the process groups that are still on the list.
 */
const SCRIPT = `
list=" "
while read -r change pid; do
  case $change in
    +) list="$list$pid " ;;
    -) list="\${list%% $pid *} \${list#* $pid }" ;;
  esac
done
for pid in $list; do kill -s KILL -- "-$pid" 2>/dev/null; done
exit 0`

let reaper: Writable | null = null

function reaperInput(): Writable {
  if (reaper !== null) return reaper
  // A shell, because it starts at once and takes 1 MB; detached, so that Ctrl-C spares it.
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  const input = shell.stdin
  input.on('error', () => undefined)
  // A pipe to a child is a socket, which would keep this process alive.
  ;(input as Writable & { unref?: () => void }).unref?.()
  reaper = input
  return input
}

/** From now on this process group dies with the calling process, even when that is killed. */
function dieWithParent(processGroup: number): void {
  reaperInput().write(`+ ${processGroup}\n`)
}

/** The process group has ended; its number may be another's soon. */
export function hasEnded(processGroup: number): void {
  reaperInput().write(`- ${processGroup}\n`)
}

/** Status of a GET, or null when there is no answer. */
export const httpStatus = (url: string, timeoutMs = 2_000): Promise<number | null> =>
  call(url, { timeoutMs }).then(
    ({ status }) => status,
    () => null,
  )
