import { NAME_CHARACTERS } from '../validate/limits.js'
import type { Sighting } from './sighting.js'
import { apart, type Posted } from './workspace-names.js'

/** Different sightings kept: as many as one request can have. */
const MAX_EARLY = 2_000

/** Names that a workspace was sent before those of other apis are known. */
export class EarlyNames {
  readonly #kept = new Map<string, readonly [Sighting, Posted]>()

  add({ event, attribute, type }: Sighting, posted: Posted): void {
    if (this.#kept.size >= MAX_EARLY) return
    const named = event === null ? null : event.name
    if (Math.max(named?.length ?? 0, attribute?.length ?? 0) > NAME_CHARACTERS) return
    const key = JSON.stringify([named, attribute, type])
    if (this.#kept.has(key)) return
    const copied = event === null ? null : { ...event, name: apart(event.name) }
    this.#kept.set(key, [{ event: copied, attribute, type }, posted])
  }

  /** All of them, in their order; none are kept. */
  take(): (readonly [Sighting, Posted])[] {
    const all = [...this.#kept.values()]
    this.#kept.clear()
    return all
  }
}
