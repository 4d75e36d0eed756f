import type { NameRecord } from '@relay/shared/census/name-record.js'
import type { NamesVersion } from '@relay/shared/census/name-store.js'
import { inside, type Findings } from '../validate/findings.js'
import type { NameTable } from './name-table.js'
import type { Sighting } from './sighting.js'
import { apart } from '../json/byte-names.js'
import { WorkspaceNames, type Posted } from './workspace-names.js'
import { NAME_CHARACTERS } from '../validate/limits.js'

/** Different sightings kept: as many as one request can have. */
const MAX_EARLY = 2_000

/** Names that a workspace was sent before those of other apis are known. */
class EarlyNames {
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

/** How often changes are written to Redis, and those of other apis are read, ms. */
const SHARE_MS = 10_000
/** How often a workspace with posts is looked at for a reset, ms: until then known names are not recorded. */
const LOOK_MS = 1_000

/** Where all apis keep the names of a workspace; may reject. */
export interface SharedNames {
  version(): Promise<NamesVersion>
  read(): Promise<NameRecord[]>
  /** Null: it was reset since. */
  merge(
    records: readonly NameRecord[],
    resets: number,
  ): Promise<{ merged: NameRecord[]; changes: number } | null>
}

/** A sighting, and the element in its request that it is of. */
export interface Seen {
  readonly index: number
  readonly sighting: Sighting
}

interface Kept {
  /** Others after a reset. */
  names: WorkspaceNames
  readonly shared: SharedNames
  /** What was read from Redis last; null: nothing yet. */
  version: NamesVersion | null
  /** Names that were posted before Redis was read. */
  readonly early: EarlyNames
  /** The workspace had a post since it was last shared. */
  isInUse: boolean
  sharing: Promise<void> | null
}

/**
 * Which names of events and attributes each workspace was sent. A hint: it refuses nothing, and what one
 * api sees is known to the others some seconds later. Values are never kept.
 */
export class Census {
  readonly #open: (appId: string) => SharedNames
  readonly #kept = new Map<string, Kept>()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(open: (appId: string) => SharedNames) {
    this.#open = open
  }

  start(): void {
    this.#timers.push(
      setInterval(() => void this.share(), SHARE_MS).unref(),
      setInterval(() => void this.#look(), LOOK_MS).unref(),
    )
  }

  /** Writes what is not written yet. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.share()
  }

  /** The names known of a workspace; none until they were read from Redis. */
  known(appId: string): NameTable {
    let kept = this.#kept.get(appId)
    if (kept === undefined) {
      const shared = this.#open(appId)
      const [names, early] = [new WorkspaceNames(), new EarlyNames()]
      kept = { names, shared, version: null, early, isInUse: true, sharing: null }
      this.#kept.set(appId, kept)
      void this.#share(kept)
    }
    kept.isInUse = true
    return kept.names.table
  }

  /** Records the names of accepted elements; adds what there is to say of them to `findings`. */
  consider(appId: string, posted: Posted, seen: readonly Seen[], findings: Findings): void {
    const kept = this.#kept.get(appId)
    if (kept === undefined || seen.length === 0) return
    const { names, early } = kept
    if (kept.version === null) {
      for (const { sighting } of seen) early.add(sighting, posted)
      return
    }
    const said = new Set<string>()
    for (const { index, sighting } of seen) {
      const found = names.see(sighting, posted)
      if (found === null) continue
      const { event, attribute } = sighting
      const key = JSON.stringify([event?.name, attribute, found.detail])
      // Once per request: the first element with it stands for all.
      if (said.has(key)) continue
      said.add(key)
      findings.add(found.rule, index, pathOf(sighting), found.detail)
    }
  }

  /** Exchanges changes with the other apis. Never rejects: what failed is tried again. */
  async share(): Promise<void> {
    for (const kept of this.#kept.values()) {
      if (!kept.isInUse) continue
      kept.isInUse = false
      await this.#share(kept)
    }
  }

  /** Begins again where the census was reset. Never rejects. */
  async #look(): Promise<void> {
    for (const kept of this.#kept.values()) {
      if (kept.version === null || !kept.isInUse || kept.sharing !== null) continue
      const version = await kept.shared.version().catch(() => kept.version)
      if (version?.resets !== kept.version.resets) await this.#share(kept)
    }
  }

  #share(kept: Kept): Promise<void> {
    kept.sharing ??= exchange(kept)
      .catch(() => {
        kept.isInUse = true
      })
      .finally(() => {
        kept.sharing = null
      })
    return kept.sharing
  }
}

async function exchange(kept: Kept): Promise<void> {
  const { shared } = kept
  // Before anything is written: whether a name is doubtful is told from all that are known.
  const { changes, resets } = kept.version ?? (await update(kept))
  const { names } = kept
  const own = names.takeChanged()
  if (own.length > 0) {
    const result = await shared.merge(own, resets).catch((error: unknown) => {
      names.changedAgain(own)
      throw error
    })
    for (const record of result?.merged ?? []) names.adopt(record)
    // No other api wrote meanwhile.
    if (result?.changes === changes + 1) kept.version = { changes: result.changes, resets }
  }
  await update(kept)
}

/** Reads what other apis wrote. */
async function update(kept: Kept): Promise<NamesVersion> {
  const { shared, early, version: known } = kept
  const version = await shared.version()
  if (version.changes === known?.changes && version.resets === known.resets) return version
  const records = inOrder(await shared.read())
  if (known !== null && version.resets !== known.resets) kept.names = new WorkspaceNames()
  for (const record of records) kept.names.adopt(record)
  kept.version = version
  for (const [sighting, posted] of early.take()) kept.names.see(sighting, posted)
  return version
}

/** Events before their attributes, and older names before younger ones. */
function inOrder(records: readonly NameRecord[]): NameRecord[] {
  const rank = ({ scope }: NameRecord) => (scope.of === 'event' ? 1 : 0)
  return records.toSorted((a, b) => rank(a) - rank(b) || a.firstDay - b.firstDay)
}

function pathOf({ event, attribute }: Sighting): string {
  if (event === null) return inside('attributes', attribute ?? '')
  const at = `actions[${event.position}]`
  return attribute === null ? `${at}.action` : inside(`${at}.attributes`, attribute)
}
