import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { freePort, LOOPBACK } from '@relay/tools/process/port.js'

export type Environment = Readonly<Record<string, string>>

export interface ServiceOptions {
  readonly name?: string
  /** Folder of the relay that runs: the checkout, or a variant of it. */
  readonly root?: string
  readonly env: Environment
  /** Of an api's intake. */
  readonly port?: number
  readonly opsPort?: number
  /** Arguments of Node. */
  readonly node?: readonly string[]
}

/** A running api or worker, as it was built. */
export interface Service {
  readonly child: Child
  readonly opsUrl: string
}

export const urlOf = (port: number): string => `http://${LOOPBACK}:${port}`

/** The built main file of a service. */
export const entryOf = (role: string, root = ROOT): string =>
  join(root, `services/${role}/dist/main.js`)

/** Starts an api or worker, and resolves once it is ready. */
export async function startService(
  role: 'api' | 'worker',
  { name = role, root, env, port, opsPort, node = [] }: ServiceOptions,
): Promise<Service> {
  const ops = opsPort ?? (await freePort())
  const child = await startChild({
    ...{ name, command: process.execPath, args: [...node, entryOf(role, root)] },
    env: { ...env, ...(port !== undefined && { PORT: String(port) }), OPS_PORT: String(ops) },
  })
  const opsUrl = urlOf(ops)
  await child.waitUntilReady(`${opsUrl}/readyz`)
  return { child, opsUrl }
}

/** A shop that posts until it is stopped: `npm run traffic`. */
export function startTraffic(
  url: string,
  options: Readonly<Record<'app-id' | 'secret' | 'rate', string>> & Environment,
): Promise<Child> {
  const args = Object.entries({ url, ...options }).flatMap(([name, value]) => [`--${name}`, value])
  const entry = join(ROOT, 'tools/dist/traffic/main.js')
  return startChild({ name: `traffic of ${options.lane ?? 'realtime'}`, entry, args })
}
