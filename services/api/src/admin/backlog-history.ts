import { totalOf } from '@relay/shared/element.js'
import { repeat } from '@relay/shared/process/repeat.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'

const EVERY_MS = 5_000
/** Twenty minutes. */
const MAX_SAMPLES = 240

/** The backlog of the last minutes, of each workspace, for curves. Kept by this process alone. */
export class BacklogHistory {
  readonly #lanes: () => readonly LaneBacklog[] | null
  readonly #appIds: () => readonly string[]
  readonly #samples = new Map<string, (number | null)[]>()
  #stop: (() => void) | undefined

  /** `lanes`: the backlog as just read elsewhere, null if unknown; this class reads nothing. */
  constructor(lanes: () => readonly LaneBacklog[] | null, appIds: () => readonly string[]) {
    this.#lanes = lanes
    this.#appIds = appIds
  }

  start(): void {
    this.#stop = repeat(EVERY_MS, () => this.sample())
  }

  stop(): void {
    this.#stop?.()
  }

  sample(): void {
    const appIds = new Set(this.#appIds())
    for (const appId of this.#samples.keys()) {
      if (!appIds.has(appId)) this.#samples.delete(appId)
    }
    const waiting = new Map<string, number>()
    const lanes = this.#lanes()
    for (const { appId, elements } of lanes ?? []) {
      const total = totalOf(elements)
      waiting.set(appId, (waiting.get(appId) ?? 0) + total)
    }
    for (const appId of appIds) {
      const samples = this.#samples.get(appId) ?? []
      samples.push(lanes === null ? null : (waiting.get(appId) ?? 0))
      if (samples.length > MAX_SAMPLES) samples.shift()
      this.#samples.set(appId, samples)
    }
  }

  /** Elements that waited, oldest sample first; null: unknown. */
  view() {
    return {
      interval_seconds: EVERY_MS / 1000,
      workspaces: Object.fromEntries(this.#samples),
    }
  }
}
