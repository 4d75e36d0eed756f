import { BUDGETS, type Budget, type Cost } from '../budget/cost.js'
import { KINDS, type Kind } from '../element.js'
import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'

/** Counters by name, e.g. `accepted:user`: additions to a report, or its contents. */
export type Tallies = ReadonlyMap<string, number>

/** Observations of a workspace in shadow. */
export interface ShadowRecord {
  /** Wall clock, ms since 1970; null: nothing was seen yet. */
  readonly sinceMs: number | null
  readonly accepted: Readonly<Record<Kind, number>>
  readonly rejected: number
  /** Requests by outcome. */
  readonly requests: {
    readonly accepted: number
    readonly refused: number
    readonly failed: number
  }
  /** Elements by rule. */
  readonly refused: Readonly<Record<string, number>>
  readonly warned: Readonly<Record<string, number>>
  /** Requests that would have been sent, of elements that were dropped so far. */
  readonly packed: { readonly requests: number; readonly elements: number; readonly bytes: number }
  /** Units by minute since 1970, oldest first. */
  readonly minutes: readonly (readonly [minute: number, units: Cost])[]
}

/** Minutes are kept this long: a report that is older speaks of totals only. */
const MINUTES_KEPT = 2 * 24 * 60
/** Expiry of a report after its last addition, s. */
const KEPT_S = 30 * 24 * 3_600
const MINUTE_MS = 60_000

/** Name of the counter of a budget's units in a minute. */
export function minuteTally(atMs: number, budget: Budget): string {
  return `minute:${Math.floor(atMs / MINUTE_MS)}:${budget}`
}

/**
 * The report of a workspace in shadow: counters in one hash, to which every api and worker adds. The
 * counters are approximate: a crash may count elements twice or not at all.
 */
export class ShadowReportStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string, appId: string) {
    this.#client = client
    this.#key = workspaceKeys(prefix, appId).shadow
  }

  async add(tallies: Tallies, nowMs: number): Promise<void> {
    const commands = this.#client.pipeline()
    commands.hsetnx(this.#key, 'since', String(nowMs))
    for (const [name, count] of tallies) commands.hincrby(this.#key, name, count)
    const old = Math.floor(nowMs / MINUTE_MS) - MINUTES_KEPT
    // Gaps in traffic may leave a few: two of each budget are looked at every time.
    for (const minute of [old, old - 1]) {
      commands.hdel(this.#key, ...BUDGETS.map((b) => `minute:${minute}:${b}`))
    }
    commands.expire(this.#key, KEPT_S)
    await commands.exec()
  }

  /** One request that would have been sent. */
  async packed(elements: number, bytes: number): Promise<void> {
    const commands = this.#client.pipeline()
    commands.hincrby(this.#key, 'packed:requests', 1)
    commands.hincrby(this.#key, 'packed:elements', elements)
    commands.hincrby(this.#key, 'packed:bytes', bytes)
    await commands.exec()
  }

  /** Rejects when Redis does not answer. */
  async read(): Promise<ShadowRecord> {
    const fields = await this.#client.hgetall(this.#key)
    const of = (name: string): number => Number(fields[name] ?? 0)
    return {
      sinceMs: fields.since === undefined ? null : Number(fields.since),
      accepted: Object.fromEntries(KINDS.map((k) => [k, of(`accepted:${k}`)])) as Record<Kind, number>, // prettier-ignore
      rejected: of('rejected'),
      requests: {
        accepted: of('requests:accepted'),
        refused: of('requests:refused'),
        failed: of('requests:failed'),
      },
      refused: withPrefix(fields, 'refused:'),
      warned: withPrefix(fields, 'warned:'),
      packed: {
        requests: of('packed:requests'),
        elements: of('packed:elements'),
        bytes: of('packed:bytes'),
      },
      minutes: minutesOf(fields),
    }
  }

  async reset(): Promise<void> {
    await this.#client.del(this.#key)
  }
}

type Fields = Readonly<Record<string, string>>

function withPrefix(fields: Fields, prefix: string): Record<string, number> {
  const own = Object.entries(fields).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, n]) => [name.slice(prefix.length), Number(n)]))
}

function minutesOf(fields: Fields): [number, Cost][] {
  const minutes = new Map<number, Record<Budget, number>>()
  for (const [name, units] of Object.entries(fields)) {
    const [kind, minute, budget] = name.split(':')
    if (kind !== 'minute') continue
    const own = minutes.get(Number(minute)) ?? { users: 0, events: 0, devices: 0 }
    own[budget as Budget] = Number(units)
    minutes.set(Number(minute), own)
  }
  return [...minutes].sort(([a], [b]) => a - b)
}
