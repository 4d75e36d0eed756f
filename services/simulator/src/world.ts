import type { Clock } from '@relay/shared/clock.js'
import type { Random } from '@relay/shared/random.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { Faults } from './faults/faults.js'
import { ArrivalRecord } from './record/record.js'
import { limitsOf, patchSettings, type Settings } from './settings.js'
import { CustomerPolicy } from './window/customer-policy.js'
import { WorkspaceBudgets } from './window/budgets.js'

/** The state of the simulator, on which the HTTP handlers act. */
export class World {
  readonly clock: Clock
  readonly random: Random
  readonly faults: Faults
  /** Notified whenever a request was decided or ended. */
  readonly watchers = new Watchers()
  record: ArrivalRecord
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

  /** Changes settings while running; a new window length resets counts. */
  configure(patch: unknown): Settings {
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

  /** The policy per customer of a workspace; call it for known app ids only. */
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

  /** Readings per configured workspace. */
  readBudgets() {
    const nowMs = this.nowMs()
    const { windowMode, workspaces } = this.#settings
    return Object.keys(workspaces).map((appId) => ({
      appId,
      ...this.budgetsOf(appId).read(nowMs, this.limitsOf(appId), windowMode),
    }))
  }

  /** Per configured workspace: breaches of the policy per customer, and its fullest windows. */
  readPolicy() {
    return Object.keys(this.#settings.workspaces).map((appId) => {
      const policy = this.policyOf(appId)
      return { appId, breaches: policy.breaches.length, peaks: policy.peaks() }
    })
  }

  /** Clears the record and the peaks; the current windows still count. */
  resetRecord(): void {
    this.record = this.#newRecord()
    for (const budgets of this.#budgets.values()) budgets.forgetPeaks(this.nowMs())
  }

  #newRecord(): ArrivalRecord {
    const { recordMaxElements, recordMaxRequests } = this.#settings
    return new ArrivalRecord({ maxElements: recordMaxElements, maxRequests: recordMaxRequests })
  }
}

interface Watcher {
  readonly seen: () => boolean
  readonly resolve: () => void
}

/** Lets a test wait for an event without polling or sleeping. */
class Watchers {
  readonly #waiting = new Set<Watcher>()

  /** Resolves the waiters whose event has happened. */
  notify(): void {
    for (const watcher of this.#waiting) {
      if (!watcher.seen()) continue
      this.#waiting.delete(watcher)
      watcher.resolve()
    }
  }

  /** Resolves once `seen` returns true, now or on a change; rejects after `timeoutMs`. */
  until(seen: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    if (seen()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(watcher)
        reject(new Error(`not seen within ${String(timeoutMs)} ms: ${describe()}`))
      }, timeoutMs)
      const watcher: Watcher = {
        seen,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting.add(watcher)
    })
  }
}
