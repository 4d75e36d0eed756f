import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Child } from '../process/child.js'
import { freePort, isListening, isPortBusy, LOOPBACK } from '../process/port.js'
import { findRedisServer } from '../fetch/redis.js'
import { askRedis, startRedisServer } from '../process/redis-server.js'
import { waitFor } from '../wait-for.js'

/** Out of the way of a Redis that the machine runs for others. */
const PREFERRED_PORTS = [16379, 16380, 16381, 16382]

export interface PrivateRedis {
  readonly url: string
  readonly child: Child
}

/** Starts the folder's own Redis with the data of earlier runs. */
export async function startPrivateRedis(
  dir: string,
  report: (line: string) => void,
  onLine: (line: string) => void,
): Promise<PrivateRedis> {
  await mkdir(dir, { recursive: true })
  const program = await findRedisServer({ report })
  const portFile = join(dir, 'port')
  await endLeftover(portFile, dir)
  const port = await choosePort()
  await writeFile(portFile, String(port))
  const child = await startRedisServer({ program, dir, port, appendonly: 'everysec', onLine })
  return { url: `redis://${LOOPBACK}:${port}`, child }
}

/** Ends a server that outlived its run, so that two never write to the same file. */
async function endLeftover(portFile: string, dir: string): Promise<void> {
  const port = Number(await readFile(portFile, 'utf8').catch(() => 'none'))
  if (!Number.isInteger(port) || (await askRedis(port, 'CONFIG GET dir')) !== (await realpath(dir)))
    return
  await askRedis(port, 'SHUTDOWN')
  await waitFor(async () => !(await isListening(port)), {
    what: `the Redis of an earlier run on port ${port} to end`,
  })
}

async function choosePort(): Promise<number> {
  for (const port of PREFERRED_PORTS) if (!(await isPortBusy(port))) return port
  return freePort()
}
