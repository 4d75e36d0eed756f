import type { WorkspaceMode } from '../config/workspace.js'
import type { RedisClient } from '../redis/connect.js'
import { runTexts, script } from '../redis/script.js'
import { deploymentKeys, workspaceKeys, partitionTag, partitionKeys } from './keys.js'
import { LANES } from '../element.js'

const LAYOUT = script('layout', 1)

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
    const { layout } = workspaceKeys(this.#prefix, appId)
    const args = [wanted, step, old, wake, appId, wantedMode(appId)]
    return layoutOf(await runTexts(this.#client, LAYOUT, [layout], args))
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

/** Expiry of a drained generation's keys, far later than the last possible add, s. */
const FORGET_AFTER_S = 3_600

/** The partitions of one generation of a workspace, closed and emptied as a whole. */
export class GenerationKeys {
  readonly #client: RedisClient
  readonly #partitions: readonly ReturnType<typeof partitionKeys>[]

  constructor(
    client: RedisClient,
    prefix: string,
    appId: string,
    { generation, partitions }: Generation,
  ) {
    this.#client = client
    this.#partitions = LANES.flatMap((lane) =>
      Array.from({ length: partitions }, (_, index) =>
        partitionKeys(prefix, partitionTag({ appId, lane, generation, index })),
      ),
    )
  }

  /** Closes every partition to adds. */
  async close(): Promise<void> {
    await Promise.all(
      this.#partitions.map(({ control }) => this.#client.hset(control, 'closed', 1)),
    )
  }

  /**
   * Whether all of them are empty, and no attempt with an element of theirs may still be processed
   * (`late`, see settle.lua). `redisNowMs`: Redis' time.
   */
  async isDrained(redisNowMs: number): Promise<boolean> {
    const states = await Promise.all(
      this.#partitions.map(({ wait, control }) =>
        Promise.all([this.#client.llen(wait), this.#client.hget(control, 'late')]),
      ),
    )
    return states.every(([waiting, late]) => waiting === 0 && Number(late ?? 0) <= redisNowMs)
  }

  /** Lets Redis forget them in a while. */
  async expire(): Promise<void> {
    await Promise.all(
      this.#partitions.flatMap(({ control, meta, id, events, marker }) =>
        [control, meta, id, events, marker].map((key) => this.#client.expire(key, FORGET_AFTER_S)),
      ),
    )
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
