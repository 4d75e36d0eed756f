import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { deploymentKeys, workspaceKeys } from './keys.js'

const LAYOUT: Script = { name: 'layout', text: luaText('layout.lua'), keys: 1 }

/** A number of partitions that a workspace has or had. */
export interface Generation {
  readonly generation: number
  readonly partitions: number
}

export interface Layout extends Generation {
  /** Partitions wanted next; the present generation is being closed for it. */
  readonly next: number | null
  /** The generation before, while it still has elements: it is served first. */
  readonly draining: Generation | null
}

/** Reads and changes how many partitions a workspace has; see lua/layout.lua for the steps. */
export class LayoutStore {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #wanted: number

  constructor(client: RedisClient, prefix: string, wantedPartitions: number) {
    this.#client = client
    this.#prefix = prefix
    this.#wanted = wantedPartitions
  }

  /** The layout; the first caller of a workspace fixes it. */
  get(appId: string): Promise<Layout> {
    return this.#step(appId, 'get', 0)
  }

  /** The layout as it is; null: nothing was ever posted to the workspace. */
  async find(appId: string): Promise<Layout | null> {
    const key = workspaceKeys(this.#prefix, appId).layout
    const fields = ['generation', 'partitions', 'next', 'draining'] as const
    const found = await this.#client.hmget(key, ...fields)
    return found[0] ? layoutOf(found.map((value) => value ?? '')) : null
  }

  /** Says which number of partitions is wanted; `next` is set when it differs. */
  plan(appId: string): Promise<Layout> {
    return this.#step(appId, 'plan', 0)
  }

  /** Opens the next generation; every partition of `old` must be closed. */
  flip(appId: string, old: number): Promise<Layout> {
    return this.#step(appId, 'flip', old)
  }

  /** Says that `old` is closed and empty. */
  drained(appId: string, old: number): Promise<Layout> {
    return this.#step(appId, 'drained', old)
  }

  async #step(appId: string, step: string, old: number): Promise<Layout> {
    const { wake } = deploymentKeys(this.#prefix)
    const reply = replyList(
      await runScript(
        this.#client,
        LAYOUT,
        [workspaceKeys(this.#prefix, appId).layout],
        [this.#wanted, step, old, wake, appId],
      ),
    ).map(replyText)
    return layoutOf(reply)
  }
}

/** From generation, partitions, next and draining, '' for none. */
function layoutOf(fields: readonly string[]): Layout {
  const [generation = '0', partitions = '1', next = '', draining = ''] = fields
  const [oldGeneration, oldPartitions] = draining.split(':')
  return {
    generation: Number(generation),
    partitions: Number(partitions),
    next: next === '' ? null : Number(next),
    draining:
      oldPartitions === undefined
        ? null
        : { generation: Number(oldGeneration), partitions: Number(oldPartitions) },
  }
}
