import type { Clock } from '@relay/shared/clock.js'
import type { Random } from '@relay/shared/random.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { Faults, type FaultInput } from './faults.js'
import { ArrivalRecord } from './record/record.js'
import { limitsOf, patchSettings, type Settings, type SettingsPatch } from './settings.js'
import { WorkspaceBudgets, CustomerPolicy } from './windows.js'

/** A test that waits for an event. */
interface Watcher {
  readonly seen: (record: ArrivalRecord) => boolean
  readonly resolve: () => void
}

const UNTIL_TIMEOUT_MS = 10_000

/** The state of the simulator, on which the HTTP handlers and tests act. */
export class World {
  readonly clock: Clock
  readonly random: Random
  readonly faults: Faults
  /** The record since the start or the last reset. */
  record: ArrivalRecord
  readonly #watchers = new Set<Watcher>()
  #settings: Settings
  #budgets = new Map<string, WorkspaceBudgets>()
  #policies = new Map<string, CustomerPolicy>()
  readonly #originMs: number

  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings
    this.clock = clock
    this.#originMs = clock.nowMs() - clock.monotonicMs()
    this.random = seededRandom(settings.seed)
    this.faults = new Faults(seededRandom(settings.seed + 1))
    this.record = this.#newRecord()
  }

  get settings(): Settings {
    return this.#settings
  }

  /** ms since 1970 as of start plus monotonic time: comparable with wall clocks, never steps. */
  nowMs(): number {
    return this.#originMs + this.clock.monotonicMs()
  }

  /** Changes settings while running; a new window length resets counts. Throws `ZodError`. */
  configure(patch: SettingsPatch): Settings {
    const before = this.#settings
    this.#settings = patchSettings(before, patch)
    if (this.#settings.windowMs !== before.windowMs) this.#budgets.clear()
    if (this.#settings.customerLimits !== before.customerLimits) this.#policies.clear()
    return this.#settings
  }

  /** Budgets of a workspace; call it for known app ids only, so that the map stays bounded. */
  budgetsOf(appId: string): WorkspaceBudgets {
    const known = this.#budgets.get(appId)
    if (known !== undefined) return known
    const budgets = new WorkspaceBudgets(this.#settings.windowMs)
    this.#budgets.set(appId, budgets)
    return budgets
  }

  /** The per-customer policy of a workspace; call it for known app ids only. */
  policyOf(appId: string): CustomerPolicy {
    const known = this.#policies.get(appId)
    if (known !== undefined) return known
    const policy = new CustomerPolicy(this.#settings.customerLimits)
    this.#policies.set(appId, policy)
    return policy
  }

  limitsOf(appId: string) {
    return limitsOf(this.#settings, appId)
  }

  /** Budgets of every configured workspace: limit, use and peaks. */
  budgets() {
    const nowMs = this.nowMs()
    const { windowMode, workspaces } = this.#settings
    return Object.keys(workspaces).map((appId) => ({
      appId,
      ...this.budgetsOf(appId).read(nowMs, this.limitsOf(appId), windowMode),
    }))
  }

  /** Per configured workspace: breaches of the per-customer policy, and its fullest windows. */
  policy() {
    return Object.keys(this.#settings.workspaces).map((appId) => {
      const policy = this.policyOf(appId)
      return { appId, breaches: policy.breaches.length, peaks: policy.peaks() }
    })
  }

  /** Clears the record and the peaks; the current windows still count. */
  reset(): void {
    this.record = this.#newRecord()
    for (const budgets of this.#budgets.values()) budgets.forgetPeaks(this.nowMs())
  }

  /** Adds a scripted fault; returns its id. */
  addFault(fault: FaultInput): string {
    return this.faults.add(fault, this.nowMs()).id
  }

  /** A request was decided or ended: resolves the waiters whose event has happened. */
  notify(): void {
    for (const watcher of this.#watchers) {
      if (!watcher.seen(this.record)) continue
      this.#watchers.delete(watcher)
      watcher.resolve()
    }
  }

  /**
   * Resolves once `seen` returns true for the record, without polling. Rejects after `timeoutMs` with
   * the totals.
   */
  until(seen: Watcher['seen'], timeoutMs = UNTIL_TIMEOUT_MS): Promise<void> {
    if (seen(this.record)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher)
        const totals = JSON.stringify(this.record.totals)
        reject(new Error(`not seen within ${timeoutMs} ms: ${totals}`))
      }, timeoutMs)
      const watcher: Watcher = {
        seen,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#watchers.add(watcher)
    })
  }

  #newRecord(): ArrivalRecord {
    const { recordMaxElements, recordMaxRequests } = this.#settings
    return new ArrivalRecord({ maxElements: recordMaxElements, maxRequests: recordMaxRequests })
  }
}
