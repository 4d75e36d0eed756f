import { Deployment } from '@relay/shared/queue/deployment.js'
import { parsePartitionTag, partitionKeys, type Partition } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

/** A partition with chunks that wait. */
export interface WaitingQueue {
  readonly tag: string
  readonly partition: Partition
  readonly chunks: number
}

/** A chunk as it waits, without what it carries. */
export interface WaitingJob {
  readonly id: string
  readonly addedAtMs: number
  /** Elements as posted that are not settled yet. */
  readonly users: number
  readonly events: number
  readonly devices: number
  /** Bytes it takes in Redis. */
  readonly bytes: number
}

/** Reads BullMQ's queues of all partitions. It has no way to write. */
export class WaitingQueues {
  readonly #client: RedisClient
  readonly #prefix: string
  readonly #deployment: Deployment

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
    this.#deployment = new Deployment(client, prefix)
  }

  /** Those that are not empty, the fullest `most` of them, by tag. Rejects when Redis does not answer. */
  async list(most: number): Promise<readonly WaitingQueue[]> {
    const tags = await this.#deployment.active()
    const counts = await Promise.all(tags.map((tag) => this.count(tag)))
    const queues = tags.flatMap((tag, i) => {
      const partition = parsePartitionTag(tag)
      const chunks = counts[i] ?? 0
      return partition === null || chunks === 0 ? [] : [{ tag, partition, chunks }]
    })
    return queues
      .toSorted((a, b) => b.chunks - a.chunks)
      .slice(0, most)
      .toSorted((a, b) => (a.tag < b.tag ? -1 : 1))
  }

  count(tag: string): Promise<number> {
    return this.#client.llen(partitionKeys(this.#prefix, tag).wait)
  }

  /** The `from`th oldest to the `to`th, both included, from 0. */
  async jobs(tag: string, from: number, to: number): Promise<readonly WaitingJob[]> {
    const { wait } = partitionKeys(this.#prefix, tag)
    // BullMQ pushes at the head: the oldest is at the tail.
    const ids = (await this.#client.lrange(wait, -(to + 1), -(from + 1))).toReversed()
    const jobs = await Promise.all(ids.map((id) => this.job(tag, id)))
    return jobs.filter((job) => job !== null)
  }

  /** Null: it does not wait any more. The field with the elements is never read. */
  async job(tag: string, id: string): Promise<WaitingJob | null> {
    const key = partitionKeys(this.#prefix, tag).job + id
    const [timestamp, counts] = await this.#client.hmget(key, 'timestamp', 'counts')
    if (!timestamp) return null
    const [bytes = 0, users = 0, events = 0, devices = 0] = (counts ?? '').split(',').map(Number)
    return { id, addedAtMs: Number(timestamp), bytes, users, events, devices }
  }
}
