import { budgetOf } from '@relay/shared/budget/cost.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { Post, PostStore, StoreOutcome } from '@relay/shared/queue/post.js'
import { minuteTally, type Tallies } from '@relay/shared/shadow/shadow-report.js'
import type { IntakeObserver, Workspaces } from '../accept/ports.js'

export interface ShadowTallyOptions {
  readonly workspaces: Workspaces
  readonly save: (appId: string, tallies: Tallies) => Promise<void>
}

/** How often counts are written to Redis, ms. */
const SAVE_EVERY_MS = 500

/** Counts posts to workspaces in shadow, for their reports. Costs other workspaces nothing. */
export class ShadowTally {
  readonly #options: ShadowTallyOptions
  readonly #counts = new Map<string, Map<string, number>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: ShadowTallyOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => void this.save(), SAVE_EVERY_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
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

/** Reports to the tally and to the other observer. */
export class ShadowObserver implements IntakeObserver {
  readonly #next: IntakeObserver
  readonly #tally: ShadowTally

  constructor(next: IntakeObserver, tally: ShadowTally) {
    this.#next = next
    this.#tally = tally
  }

  elements(count: Parameters<IntakeObserver['elements']>[0]): void {
    this.#next.elements(count)
    const { appId, kind, outcome, count: elements } = count
    if (outcome === 'accepted') this.#tally.add(appId, `accepted:${kind}`, elements)
    else this.#tally.add(appId, outcome, elements)
  }

  refused(...refusal: Parameters<IntakeObserver['refused']>): void {
    this.#next.refused(...refusal)
    const [appId, rule, count] = refusal
    this.#tally.add(appId, `refused:${rule}`, count)
  }

  warned(...warning: Parameters<IntakeObserver['warned']>): void {
    this.#next.warned(...warning)
    const [appId, rule, count] = warning
    this.#tally.add(appId, `warned:${rule}`, count)
  }

  answered(answer: Parameters<IntakeObserver['answered']>[0]): void {
    this.#next.answered(answer)
    const { appId, route, status } = answer
    if (appId === null || route === 'requests' || route === 'elsewhere') return
    const outcome = status < 300 ? 'accepted' : status < 500 ? 'refused' : 'failed'
    this.#tally.add(appId, `requests:${outcome}`, 1)
  }

  failed(...failure: Parameters<IntakeObserver['failed']>): void {
    this.#next.failed(...failure)
  }
}

/** Stores in the underlying store and reports stored posts to the tally. */
export class ShadowStore implements PostStore {
  readonly #next: PostStore
  readonly #tally: ShadowTally

  constructor(next: PostStore, tally: ShadowTally) {
    this.#next = next
    this.#tally = tally
  }

  async store(post: Post): Promise<StoreOutcome> {
    const stored = await this.#next.store(post)
    if (stored.outcome === 'stored') this.#tally.stored(post)
    return stored
  }
}
