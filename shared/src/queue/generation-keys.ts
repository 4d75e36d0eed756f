import { LANES } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { partitionKeys, partitionTag } from './keys.js'
import type { Generation } from './layout.js'

/** Keys of a drained generation go after this long: far later than anybody may still add to it, s. */
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

  /** Whether nothing waits in any of them. */
  async isEmpty(): Promise<boolean> {
    const waiting = await Promise.all(this.#partitions.map(({ wait }) => this.#client.llen(wait)))
    return waiting.every((count) => count === 0)
  }

  /** Lets Redis forget them in a while. */
  async forget(): Promise<void> {
    await Promise.all(
      this.#partitions.flatMap(({ control, meta, id, events, marker }) =>
        [control, meta, id, events, marker].map((key) => this.#client.expire(key, FORGET_AFTER_S)),
      ),
    )
  }
}
