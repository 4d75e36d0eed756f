import { repeat } from '@relay/shared/process/repeat.js'

/** How often the held customers of workspaces with posts are read, ms. */
const READ_MS = 5_000
const NONE: ReadonlySet<string> = new Set()

interface Known {
  customers: ReadonlySet<string>
  /** The workspace had a post since they were read. */
  isInUse: boolean
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
    if (known === undefined) this.#known.set(appId, { customers: NONE, isInUse: true })
    else known.isInUse = true
    return known?.customers ?? NONE
  }

  /** Reads those of workspaces in use. Never rejects: what is unknown is not warned of. */
  async look(): Promise<void> {
    for (const [appId, known] of this.#known) {
      const { isInUse } = known
      known.isInUse = false
      if (isInUse) known.customers = await this.#read(appId).catch(() => NONE)
      else this.#known.delete(appId)
    }
  }
}
