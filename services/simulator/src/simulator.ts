import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '@relay/shared/clock.js'
import { route } from './http/route.js'
import { settingsSchema, type SettingsInput } from './settings.js'
import { World } from './world.js'

/** A running simulator, controlled from the same process. */
export type Simulator = World & {
  /** Origin without trailing slash, for relay's base URL. */
  readonly url: string
  readonly port: number
  /** Cuts every connection and stops. */
  readonly close: () => Promise<void>
}

/** Idle connections are kept longer than any client keeps them, so that the client decides. */
const KEEP_ALIVE_MS = 65_000

/** Starts a simulator; throws `ZodError` for wrong options and what `listen` throws. */
export async function startSimulator(
  options: SettingsInput = {},
  clock: Clock = systemClock,
): Promise<Simulator> {
  const world = new World(settingsSchema.parse(options), clock)
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (req, res) => {
    void route(world, req, res)
  })
  const { host } = world.settings
  server.listen(world.settings.port, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return Object.assign(world, {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${String(port)}`,
    port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  })
}
