import type { WorkspaceMode } from '../config/workspace.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'
import { deploymentKeys, workspaceKeys, partitionTag } from './keys.js'
import { LANES } from '../element.js'

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

/** A number of partitions that a workspace has or had. */
export interface Generation {
  readonly generation: number
  readonly partitions: number
  /** Mode in which their elements were accepted. */
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

/** In the order in which the script answers. */
const LAYOUT_FIELDS = ['generation', 'partitions', 'next', 'draining', 'mode', 'previous'] as const

/** From `LAYOUT_FIELDS`, '' for none. */
export function layoutOf(fields: readonly string[]): Layout {
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

/** Tags of all partitions that may hold elements: of the present generation and of those draining. */
export function tagsOf(appId: string, { generation, partitions, draining }: Layout): string[] {
  return LANES.flatMap((lane) =>
    [...draining, { generation, partitions }].flatMap((one) =>
      Array.from({ length: one.partitions }, (_, index) =>
        partitionTag({ appId, lane, generation: one.generation, index }),
      ),
    ),
  )
}

/** The same of these workspaces as their layouts in Redis are now. Rejects when Redis does not answer. */
export async function readTags(
  client: RedisClient,
  prefix: string,
  appIds: Iterable<string>,
): Promise<string[]> {
  const tags = await Promise.all(
    [...new Set(appIds)].map(async (appId) => {
      const layout = await findLayout(client, prefix, appId)
      return layout === null ? [] : tagsOf(appId, layout)
    }),
  )
  return tags.flat()
}
