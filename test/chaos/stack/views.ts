import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'
import { call } from '@relay/shared/process/http-call.js'
import type { ViewSample } from '../oracle/model.js'
import { ADMIN_TOKEN, APP_ID } from './settings.js'
import type { Service } from './service.js'
import type { Stack } from './stack.js'

const LOOK_EVERY_MS = 1_000
const TIMEOUT_MS = 3_000
const KINDS = ['user', 'event', 'device'] as const
const BACKLOG = new RegExp(`^relay_backlog_elements\\{[^}]*app_id="${APP_ID}"[^}]*\\} (\\d+)`, 'gm')
const AGE = /^relay_state_age_seconds (\S+)/m
const WANTED = /^relay_workers_wanted (\d+)/m

type Counts = Readonly<Record<(typeof KINDS)[number], number>>
interface Overview {
  readonly workspaces: readonly {
    readonly app_id: string
    readonly backlog: Readonly<Record<'realtime' | 'backfill', Counts>>
  }[]
}

type Shown = Pick<ViewSample, 'backlog'> & { readonly ageMs: number }

/** What relay says of its backlog, asked of every api's operator API and every process' metrics. */
export class Views {
  readonly samples: ViewSample[] = []
  /** `relay_workers_wanted` as the first api showed it last; null: not shown. */
  workersWanted: number | null = null
  readonly #stack: Stack
  readonly #stopped = new AbortController()
  readonly #looking: Promise<void>

  constructor(stack: Stack) {
    this.#stack = stack
    this.#looking = this.#lookUntilStopped()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#looking
  }

  async #lookUntilStopped(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await this.look()
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /**
   * Asks all of them once. One that does not answer shows nothing. The metrics are taken together,
   * by `max`, as the contract says: a process that is cut off from Redis shows its last number.
   */
  async look(): Promise<void> {
    const { apis, services } = this.#stack
    await Promise.all([
      ...apis.map(({ name, opsUrl }) => this.#sample(`${name} status`, () => status(opsUrl))),
      this.#sample('metrics', () => this.#greatest(services.filter(({ running }) => running))),
    ])
  }

  async #sample(where: string, read: () => Promise<Shown | null>): Promise<void> {
    const fromMs = nowMs()
    const shown = await read().catch(() => null)
    if (shown !== null) this.samples.push({ where, fromMs, toMs: nowMs(), ...shown })
  }

  async #greatest(services: readonly Service[]): Promise<Shown | null> {
    const shown = await Promise.all(
      services.map(({ opsUrl }) => this.#metrics(opsUrl).catch(() => null)),
    )
    const known = shown.filter((one) => one !== null)
    if (known.length === 0) return null
    const ageMs = Math.min(...known.map((one) => one.ageMs))
    return { backlog: Math.max(...known.map((one) => one.backlog)), ageMs }
  }

  async #metrics(opsUrl: string): Promise<Shown | null> {
    const { status, body } = await call(`${opsUrl}/metrics`, { timeoutMs: TIMEOUT_MS })
    const found = [...body.matchAll(BACKLOG)]
    const wanted = WANTED.exec(body)?.[1]
    if (wanted !== undefined) this.workersWanted = Number(wanted)
    if (status !== 200 || found.length === 0) return null
    const backlog = found.reduce((n, [, text]) => n + Number(text), 0)
    return { backlog, ageMs: 1000 * Number(AGE.exec(body)?.[1] ?? 0) }
  }
}

/** The elements that the operator API shows as waiting; null when it does not answer so. */
async function status(opsUrl: string): Promise<Shown | null> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const url = `${opsUrl}/admin/workspaces`
  const { status: code, body } = await call(url, { headers, timeoutMs: TIMEOUT_MS })
  if (code !== 200) return null
  const { workspaces } = JSON.parse(body) as Overview
  const own = workspaces.find(({ app_id }) => app_id === APP_ID)
  if (own === undefined) return null
  const lanes = [own.backlog.realtime, own.backlog.backfill]
  const backlog = lanes.reduce((n, lane) => n + KINDS.reduce((sum, kind) => sum + lane[kind], 0), 0)
  return { backlog, ageMs: 0 }
}
