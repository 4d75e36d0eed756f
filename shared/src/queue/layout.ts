import type { WorkspaceMode } from '../config/workspace.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { deploymentKeys, workspaceKeys } from './keys.js'

const LAYOUT: Script = { name: 'layout', text: luaText('layout.lua'), keys: 1 }

/** A number of partitions that a workspace has or had. */
export interface Generation {
  readonly generation: number
  readonly partitions: number
  /** What is in them was accepted in shadow. */
  readonly mode: WorkspaceMode
}

export interface Layout extends Generation {
  /** Partitions wanted next; the present generation is being closed for it. */
  readonly next: number | null
  /** Older generations that may still have elements, oldest first: they are served first. */
  readonly draining: readonly Generation[]
  /** Closed in the last two days, oldest first: a post that is repeated may be stored there. */
  readonly previous: readonly Omit<Generation, 'mode'>[]
}

/** What a workspace's partitions should be. */
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

  /** Says what is wanted; `next` is set when it differs. */
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

/** In the order in which the script answers. */
const FIELDS = ['generation', 'partitions', 'next', 'draining', 'mode', 'previous'] as const

/** The layout as it is, changing nothing; null: nothing was ever posted to the workspace. */
export async function findLayout(
  client: RedisClient,
  prefix: string,
  appId: string,
): Promise<Layout | null> {
  const found = await client.hmget(workspaceKeys(prefix, appId).layout, ...FIELDS)
  return found[0] ? layoutOf(found.map((value) => value ?? '')) : null
}

/** From `FIELDS`, '' for none. */
function layoutOf(fields: readonly string[]): Layout {
  const [generation = '0', partitions = '1', next = '', draining = '', mode = '', previous = ''] =
    fields
  return {
    generation: Number(generation),
    partitions: Number(partitions),
    mode: modeOf(mode),
    next: next === '' ? null : Number(next),
    draining: listOf(draining).map(parseGeneration),
    previous: listOf(previous).map((text) => {
      const [number, count] = text.split(':')
      return { generation: Number(number), partitions: Number(count) }
    }),
  }
}

function listOf(text: string): string[] {
  return text === '' ? [] : text.split(',')
}

/** See the key `draining` in lua/layout.lua. */
function parseGeneration(text: string): Generation {
  const [generation, partitions, mode] = text.split(':')
  return { generation: Number(generation), partitions: Number(partitions), mode: modeOf(mode) }
}

function modeOf(text: string | undefined): WorkspaceMode {
  return text === 'shadow' ? 'shadow' : 'live'
}
