import type { Cluster } from 'ioredis'
import type { RedisClient } from './connect.js'

/** Pause before asking again when no answer came, ms. */
const AGAIN_MS = 100

/**
 * Which life of Redis the client speaks to: its `run_id`, or all masters' in a cluster. '' while
 * unknown. A new life may have forgotten the last moments of the one before.
 *
 * A single server changes its life only where the connection is lost. In a cluster a replica may
 * take over without any event at this client, and every client has its own view of who is master:
 * `refresh` asks anew, and is to be called now and then, and whenever others speak of another life.
 */
export class RedisLife {
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

  /** Asks anew; resolves when it was answered, or not. Tries again by itself until it is. */
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
    cluster.refreshSlotsCache(() => {
      resolve()
    })
  })
}

function isCluster(client: RedisClient): client is Cluster {
  return 'nodes' in client
}
