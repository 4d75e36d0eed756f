import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import type { DeadLetter, DeadLetterSink } from './dead-letter.js'

/** Keeps dead letters in Redis: by id, and in the order they came. */
export class DeadLetterStore implements DeadLetterSink {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async bury(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) {
      const key = workspaceKeys(this.#prefix, letter.appId).deadLetters
      await this.#client.hset(`${key}:letters`, letter.id, JSON.stringify(letter))
      await this.#client.zadd(`${key}:index`, letter.deadAtMs, letter.id)
    }
  }
}
