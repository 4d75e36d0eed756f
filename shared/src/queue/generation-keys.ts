import { LANES } from '../element.js'
import type { RedisClient } from '../redis/connect.js'
import { partitionKeys, partitionTag } from './keys.js'
import type { Generation } from './layout.js'

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
