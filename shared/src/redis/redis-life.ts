import type { RedisClient } from './connect.js'

/**
 * Which life of Redis the client speaks to: its `run_id`, or all masters' in a cluster. '' while
 * unknown. A new life may have forgotten the last moments of the one before.
 */
export class RedisLife {
  readonly #client: RedisClient
  #id = ''
  #asked = 0

  constructor(client: RedisClient, onChange: (before: string) => void) {
    this.#client = client
    const learn = (): void => void this.#learn(onChange)
    client.on('ready', learn)
    client.on('+node', learn)
    client.on('-node', learn)
    client.on('close', () => {
      this.#asked += 1
      this.#current = ''
    })
    if (client.status === 'ready') learn()
  }

  #current = ''

  get id(): string {
    return this.#current
  }

  async #learn(onChange: (before: string) => void): Promise<void> {
    this.#asked += 1
    const asked = this.#asked
    const id = await readRunId(this.#client).catch(() => '')
    if (asked !== this.#asked) return
    if (id === '') {
      setTimeout(() => void this.#learn(onChange), 100).unref()
      return
    }
    const before = this.#id
    this.#id = id
    this.#current = id
    if (before !== id) onChange(before)
  }
}

async function readRunId(client: RedisClient): Promise<string> {
  const nodes = 'nodes' in client ? client.nodes('master') : [client]
  const infos = await Promise.all(nodes.map((node) => node.info('server')))
  const ids = infos.map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '')
  return ids.includes('') ? '' : ids.sort().join('+')
}
