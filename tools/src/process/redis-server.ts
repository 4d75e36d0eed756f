import { mkdir } from 'node:fs/promises'
import type { Program } from '../fetch/apt.js'
import { Ended, startChild, type Child } from './child.js'
import { LOOPBACK } from './port.js'
import { waitFor } from '../wait-for.js'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

export interface RedisServerOptions {
  readonly program: Program
  readonly dir: string
  readonly port: number
  /** When the log of writes reaches the disk; false: there is none. */
  readonly appendonly: 'everysec' | 'always' | false
  /** In Redis' own words, e.g. `64mb`. */
  readonly maxmemory?: string | undefined
  readonly extra?: readonly string[]
  readonly onLine?: (line: string) => void
}

const READY_TIMEOUT_MS = 60_000

/**
 * Starts a Redis on loopback that never evicts, with its data in `dir`, and waits until it serves.
 * Throws `Ended` with its last lines when it does not come up, for instance on a busy port.
 */
export async function startRedisServer(options: RedisServerOptions): Promise<Child> {
  await mkdir(options.dir, { recursive: true })
  const child = await startChild({
    name: 'redis',
    command: options.program.path,
    args: serverArguments(options),
    env: options.program.env,
    cwd: options.dir,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
  })
  try {
    await waitFor(() => serves(child, options.port), {
      what: `Redis on port ${options.port}`,
      timeoutMs: READY_TIMEOUT_MS,
    })
  } catch (error) {
    await child.stop(1_000)
    throw error
  }
  const end = child.exit()
  if (end !== null) throw new Ended('redis', end, child.lastLines())
  return child
}

/** True once it serves, and also once it has ended: waiting is over then. */
async function serves(child: Child, port: number): Promise<boolean> {
  return child.exit() !== null || (await askRedis(port, 'PING')) === '+PONG'
}

function serverArguments(options: RedisServerOptions): string[] {
  const { appendonly, maxmemory, extra = [] } = options
  return [
    ...['--bind', LOOPBACK, '--port', String(options.port), '--dir', options.dir],
    // The append-only file is the only durability that relay relies on.
    ...['--save', '', '--appendonly', appendonly === false ? 'no' : 'yes'],
    ...(appendonly === false ? [] : ['--appendfsync', appendonly]),
    ...['--maxmemory-policy', 'noeviction'],
    ...(maxmemory === undefined ? [] : ['--maxmemory', maxmemory]),
    ...extra,
  ]
}

/**
 * Sends one inline command to a local Redis and gives the first line of its answer, or for an array
 * its last; null when there is no answer in time. Enough to ask whether a server is there, without
 * a client that reconnects.
 */
export async function askRedis(
  port: number,
  command: string,
  timeoutMs = 1_000,
): Promise<string | null> {
  const answer = await askRedisText(port, command, timeoutMs)
  const lines = answer?.split('\r\n').filter((line) => line !== '') ?? []
  return (answer?.startsWith('*') === true ? lines.at(-1) : lines[0]) ?? null
}

/** The same, as the whole text of the answer. Sentinels answer, too. */
export function askRedisText(
  port: number,
  command: string,
  timeoutMs = 1_000,
): Promise<string | null> {
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ port, host: LOOPBACK, signal })
  // The end of what it is asked makes the server close once it has answered.
  socket.end(`${command}\r\n`)
  return text(socket).then(
    (answer) => (answer === '' ? null : answer),
    () => null,
  )
}
