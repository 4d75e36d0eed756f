import { repeat } from '@relay/shared/process/repeat.js'

/** How often the held customers of workspaces with posts are read, ms. */
const READ_MS = 5_000
/** Reads after the last post: a producer that posts once an hour is warned, too. */
const IDLE_READS = (90 * 60_000) / READ_MS
const NONE: ReadonlySet<string> = new Set()

interface Known {
  customers: ReadonlySet<string>
  /** How often they were read since the workspace had a post. */
  idleReads: number
}

/**
 * Customers that wait for MoEngage's per-customer policy, as last read: producers are warned of them.
 * It refuses nothing.
 */
export class HeldCustomers {
  readonly #read: (appId: string) => Promise<ReadonlySet<string>>
  readonly #known = new Map<string, Known>()
  #stop: (() => void) | undefined

  /** `read`: their keys, as `customerKey` writes them; may reject. */
  constructor(read: (appId: string) => Promise<ReadonlySet<string>>) {
    this.#read = read
  }

  start(): void {
    this.#stop = repeat(READ_MS, () => this.look())
  }

  stop(): void {
    this.#stop?.()
  }

  /** Those of a workspace; none until it had a post and was looked at. */
  of(appId: string): ReadonlySet<string> {
    const known = this.#known.get(appId)
    if (known === undefined) this.#known.set(appId, { customers: NONE, idleReads: 0 })
    else known.idleReads = 0
    return known?.customers ?? NONE
  }

  /** Reads those of workspaces that had a post lately. Never rejects: what is unknown is not warned of. */
  async look(): Promise<void> {
    for (const [appId, known] of this.#known) {
      known.idleReads += 1
      if (known.idleReads > IDLE_READS) this.#known.delete(appId)
      else known.customers = await this.#read(appId).catch(() => NONE)
    }
  }
}
