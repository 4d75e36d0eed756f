import { budgetOf } from '@relay/shared/budget/cost.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { repeat } from '@relay/shared/process/repeat.js'
import type { Post } from '@relay/shared/queue/post.js'
import { minuteTally, type Tallies } from '@relay/shared/shadow/shadow-report.js'
import type { IntakeObserver, Workspaces } from './ports.js'

export interface ShadowTallyOptions {
  readonly workspaces: Workspaces
  readonly save: (appId: string, tallies: Tallies) => Promise<void>
}

/** How often counts are written to Redis, ms. */
const SAVE_EVERY_MS = 500

/** Counts posts to workspaces in shadow, for their reports. Costs other workspaces nothing. */
export class ShadowTally implements Omit<IntakeObserver, 'failed'> {
  readonly #options: ShadowTallyOptions
  readonly #counts = new Map<string, Map<string, number>>()
  #stop: (() => void) | undefined

  constructor(options: ShadowTallyOptions) {
    this.#options = options
  }

  start(): void {
    this.#stop = repeat(SAVE_EVERY_MS, () => this.save())
  }

  async stop(): Promise<void> {
    this.#stop?.()
    await this.save()
  }

  add(appId: string, name: string, count: number): void {
    if (count === 0 || this.#inShadow(appId) === undefined) return
    const own = this.#counts.get(appId) ?? new Map<string, number>()
    own.set(name, (own.get(name) ?? 0) + count)
    this.#counts.set(appId, own)
  }

  /** The budget units that a stored post would have cost. */
  stored({ appId, acceptedAtMs, elements }: Post): void {
    const workspace = this.#inShadow(appId)
    if (workspace === undefined) return
    for (const { kind, cost } of elements) {
      this.add(appId, minuteTally(acceptedAtMs, budgetOf(kind, workspace.limits)), cost)
    }
  }

  elements({ appId, kind, outcome, count }: Parameters<IntakeObserver['elements']>[0]): void {
    this.add(appId, outcome === 'accepted' ? `accepted:${kind}` : outcome, count)
  }

  refused(appId: string, rule: string, count: number): void {
    this.add(appId, `refused:${rule}`, count)
  }

  warned(appId: string, rule: string, count: number): void {
    this.add(appId, `warned:${rule}`, count)
  }

  answered({ appId, route, status }: Parameters<IntakeObserver['answered']>[0]): void {
    if (appId === null || route === 'requests' || route === 'elsewhere') return
    const outcome = status < 300 ? 'accepted' : status < 500 ? 'refused' : 'failed'
    this.add(appId, `requests:${outcome}`, 1)
  }

  /** Counts that cannot be written now are written with the next ones. */
  async save(): Promise<void> {
    const counts = [...this.#counts]
    this.#counts.clear()
    await Promise.all(
      counts.map(([appId, tallies]) =>
        this.#options.save(appId, tallies).catch(() => {
          for (const [name, count] of tallies) this.add(appId, name, count)
        }),
      ),
    )
  }

  #inShadow(appId: string): Workspace | undefined {
    const workspace = this.#options.workspaces(appId)
    return workspace?.mode === 'shadow' ? workspace : undefined
  }
}
