import type { Cluster } from 'ioredis'
import type { RedisClient } from './connect.js'

/** Pause before asking again when no answer came, ms. */
const AGAIN_MS = 100

/**
 * The run of Redis that the client is connected to: its `run_id`, or those of all masters in a cluster.
 * '' while unknown. A new run may have lost the last writes of the previous one.
 *
 * The run of a single server changes only when the connection is lost. In a cluster a replica may take
 * over without an event at this client, and every client has its own view of the masters. Therefore
 * callers `refresh` periodically, and whenever another process reports a different run.
 */
export class RedisRun {
  readonly #client: RedisClient
  readonly #onChange: (before: string) => void
  /** The last that was known. */
  #last = ''
  #current = ''
  #asked = 0

  constructor(client: RedisClient, onChange: (before: string) => void) {
    this.#client = client
    this.#onChange = onChange
    const refresh = (): void => void this.refresh()
    client.on('ready', refresh)
    client.on('+node', refresh)
    client.on('-node', refresh)
    client.on('close', () => {
      this.#asked += 1
      this.#current = ''
    })
    if (client.status === 'ready') refresh()
  }

  get id(): string {
    return this.#current
  }

  /** Reads the run id; resolves after the first try, and retries in the background until it succeeds. */
  async refresh(): Promise<void> {
    this.#asked += 1
    const asked = this.#asked
    const id = await readRunIds(this.#client).catch(() => '')
    if (asked !== this.#asked) return
    if (id === '') {
      setTimeout(() => void this.refresh(), AGAIN_MS).unref()
      return
    }
    const before = this.#last
    this.#last = id
    this.#current = id
    if (before !== id) this.#onChange(before)
  }

  /** `refresh` where lives may change without an event. */
  async refreshIfUnheard(): Promise<void> {
    if (isCluster(this.#client)) await this.refresh()
  }
}

async function readRunIds(client: RedisClient): Promise<string> {
  if (isCluster(client)) await refreshSlots(client)
  const nodes = isCluster(client) ? client.nodes('master') : [client]
  const infos = await Promise.all(nodes.map((node) => node.info('server')))
  const ids = infos.map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '')
  return ids.includes('') ? '' : ids.sort().join('+')
}

function refreshSlots(cluster: Cluster): Promise<void> {
  return new Promise((resolve) => {
    cluster.refreshSlotsCache(() => resolve())
  })
}

function isCluster(client: RedisClient): client is Cluster {
  return 'nodes' in client
}
