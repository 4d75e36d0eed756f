import type { WorkspaceMode } from '../config/workspace.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { deploymentKeys, workspaceKeys } from './keys.js'
import { LAYOUT_FIELDS, layoutOf, type Layout } from './layout-fields.js'

export type { Generation, Layout } from './layout-fields.js'

const LAYOUT: Script = { name: 'layout', text: luaText('layout.lua'), keys: 1 }

/** Configured partitions of a workspace. */
export interface WantedLayout {
  readonly partitions: number
  readonly mode: (appId: string) => WorkspaceMode
}

/** Reads and changes how a workspace is partitioned; see lua/layout.lua for the steps. */
export class LayoutStore {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #wanted: WantedLayout

  constructor(client: RedisClient, prefix: string, wanted: WantedLayout) {
    this.#client = client
    this.#prefix = prefix
    this.#wanted = wanted
  }

  /** The layout; the first caller of a workspace fixes it. */
  get(appId: string): Promise<Layout> {
    return this.#step(appId, 'get', 0)
  }

  /** Submits the configured layout; `next` is set when it differs from the current one. */
  plan(appId: string): Promise<Layout> {
    return this.#step(appId, 'plan', 0)
  }

  /** Opens the next generation; every partition of `old` must be closed. */
  flip(appId: string, old: number): Promise<Layout> {
    return this.#step(appId, 'flip', old)
  }

  /** Records that `old` is closed and empty. */
  drained(appId: string, old: number): Promise<Layout> {
    return this.#step(appId, 'drained', old)
  }

  async #step(appId: string, step: string, old: number): Promise<Layout> {
    const { wake } = deploymentKeys(this.#prefix)
    const { partitions: wanted, mode: wantedMode } = this.#wanted
    const reply = replyList(
      await runScript(
        this.#client,
        LAYOUT,
        [workspaceKeys(this.#prefix, appId).layout],
        [wanted, step, old, wake, appId, wantedMode(appId)],
      ),
    ).map(replyText)
    return layoutOf(reply)
  }
}

/** The layout as it is, changing nothing; null: nothing was ever posted to the workspace. */
export async function findLayout(
  client: RedisClient,
  prefix: string,
  appId: string,
): Promise<Layout | null> {
  const found = await client.hmget(workspaceKeys(prefix, appId).layout, ...LAYOUT_FIELDS)
  return found[0] ? layoutOf(found.map((value) => value ?? '')) : null
}
