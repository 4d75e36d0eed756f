import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '@relay/shared/clock.js'
import type { ActiveFault } from './faults/faults.js'
import type { FaultInput } from './faults/rule.js'
import { route } from './http/route.js'
import type { ArrivalRecord } from './record/record.js'
import {
  settingsSchema,
  type Settings,
  type SettingsInput,
  type SettingsPatch,
} from './settings.js'
import { World } from './world.js'

/** A running simulator, controlled from the same process. */
export interface Simulator {
  /** Origin without trailing slash, for relay's base URL. */
  readonly url: string
  readonly port: number
  readonly settings: Settings
  /** The record since the start or the last reset. */
  readonly record: ArrivalRecord
  /** Budgets of every configured workspace: limit, use and peaks. */
  budgets(): ReturnType<World['readBudgets']>
  /** Policy per customer of every configured workspace: breaches and fullest windows. */
  policy(): ReturnType<World['readPolicy']>
  configure(patch: SettingsPatch): Settings
  /** Adds a scripted fault; returns its id. */
  addFault(fault: FaultInput): string
  faults(): readonly ActiveFault[]
  removeFault(id: string): boolean
  clearFaults(): void
  reset(): void
  /**
   * Resolves once `seen` returns true for the record; called whenever a request was decided or ended.
   * Rejects after `timeoutMs` (10 s) with the totals.
   */
  until(seen: (record: ArrivalRecord) => boolean, timeoutMs?: number): Promise<void>
  /** Cuts every connection and stops. */
  close(): Promise<void>
}

/** Idle connections are kept longer than any client keeps them, so that the client decides. */
const KEEP_ALIVE_MS = 65_000

const UNTIL_TIMEOUT_MS = 10_000

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
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${String(port)}`,
    port,
    get settings() {
      return world.settings
    },
    get record() {
      return world.record
    },
    budgets: () => world.readBudgets(),
    policy: () => world.readPolicy(),
    configure: (patch) => world.configure(patch),
    addFault: (fault) => world.faults.add(fault, world.nowMs()).id,
    faults: () => world.faults.list(world.nowMs()),
    removeFault: (id) => world.faults.remove(id),
    clearFaults: () => {
      world.faults.clear()
    },
    reset: () => {
      world.resetRecord()
    },
    until: (seen, timeoutMs = UNTIL_TIMEOUT_MS) =>
      world.watchers.until(
        () => seen(world.record),
        timeoutMs,
        () => JSON.stringify(world.record.totals),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
