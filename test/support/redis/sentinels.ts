import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@relay/tools/folders.js'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { freePort, LOOPBACK } from '@relay/tools/process/port.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { findRedisServer } from '@relay/tools/fetch/redis.js'
import { askRedis, askRedisText } from '@relay/tools/process/redis-server.js'
import type { Program } from '@relay/tools/fetch/apt.js'

export interface Sentinels {
  /** As relay takes it. */
  readonly url: string
  /** Port of the present master, as a sentinel names it. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

const COUNT = 3
const QUORUM = 2
const MASTER = 'main'
/** A master that is silent for so long is taken for dead, ms. */
const DOWN_AFTER_MS = 1_000

/** Real sentinels around a master, which know its replicas before this resolves. */
export async function startSentinels(masterPort: number, replicas: number): Promise<Sentinels> {
  const program = await findRedisServer()
  const dir = await temporaryFolder('sentinels')
  const all: { port: number; child: Child }[] = []
  for (let i = 0; i < COUNT; i += 1) {
    const port = await freePort()
    all.push({ port, child: await startSentinel(program, join(dir, String(i)), port, masterPort) })
  }
  const fact = async (port: number, name: string): Promise<number> => {
    const text = await askRedisText(port, 'INFO sentinel')
    return Number(new RegExp(`[:,]${name}=(\\d+)`).exec(text ?? '')?.[1] ?? -1)
  }
  const isKnown = async () => {
    const known = all.map(async ({ port }) => [
      await fact(port, 'slaves'),
      await fact(port, 'sentinels'),
    ])
    return (await Promise.all(known)).every(([r, s]) => r === replicas && s === COUNT)
  }
  await waitFor(isKnown, { what: 'the sentinels to know everybody', timeoutMs: 30_000 })
  return {
    url: `redis+sentinel://${all.map(({ port }) => `${LOOPBACK}:${port}`).join(',')}/${MASTER}`,
    masterPort: async () => {
      const [first] = all
      if (first === undefined) return 0
      return Number(await askRedis(first.port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${MASTER}`))
    },
    stop: async () => {
      await Promise.all(all.map(({ child }) => child.stop(2_000)))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function startSentinel(
  { path, env }: Program,
  dir: string,
  port: number,
  masterPort: number,
): Promise<Child> {
  await mkdir(dir, { recursive: true })
  const file = join(dir, 'sentinel.conf')
  const settings = [
    `port ${port}`,
    `bind ${LOOPBACK}`,
    `dir ${dir}`,
    `sentinel monitor ${MASTER} ${LOOPBACK} ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} 4000`,
  ]
  // Sentinels keep what they learn in their own settings file.
  await writeFile(file, `${settings.join('\n')}\n`)
  const child = await startChild({
    name: `sentinel ${port}`,
    command: path,
    args: [file, '--sentinel'],
    env,
    cwd: dir,
  })
  const isUp = async () => (await askRedis(port, 'PING')) === '+PONG'
  await waitFor(isUp, { what: `a sentinel on port ${port}` })
  return child
}
