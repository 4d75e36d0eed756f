import { createHmac } from 'node:crypto'
import type { Random } from '@relay/shared/random.js'
import { deploymentKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

const KEY_BYTES = 32
const NAME_LETTERS = 16

/**
 * Pseudonyms of customers in logs: equal for the same customer, and useless without this
 * deployment's key, which is in Redis next to the data. A customer key alone could be computed from
 * an identifier.
 */
export class Pseudonyms {
  readonly #client: RedisClient
  readonly #key: string
  readonly #random: Random
  #secret: string | null = null

  constructor(client: RedisClient, prefix: string, random: Random) {
    this.#client = client
    this.#key = deploymentKeys(prefix).pseudonyms
    this.#random = random
  }

  /** `customer` is its customer key, hex. */
  async of(customer: string): Promise<string> {
    this.#secret ??= await this.#find()
    return createHmac('sha256', this.#secret).update(customer).digest('hex').slice(0, NAME_LETTERS)
  }

  async #find(): Promise<string> {
    const made = this.#random.bytes(KEY_BYTES).toString('base64url')
    await this.#client.setnx(this.#key, made)
    return (await this.#client.get(this.#key)) ?? made
  }
}
