import type { Request } from 'express'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { Selection } from './selection.js'
import { bearerToken } from './answer.js'
import { deploymentKeys } from '@relay/shared/queue/keys.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { createHmac } from 'node:crypto'
import type { Random } from '@relay/shared/random.js'

export type AuditFields = Readonly<Record<string, unknown>>

/** One log line and one entry in Redis per changing action of an operator: who, what, how many. */
export class AuditLog {
  readonly #log: Logger
  readonly #store: AuditStore
  readonly #pseudonyms: Pseudonyms

  constructor(log: Logger, store: AuditStore, pseudonyms: Pseudonyms) {
    this.#log = log
    this.#store = store
    this.#pseudonyms = pseudonyms
  }

  /**
   * `who` is the token's holder, as a keyed digest that cannot be guessed. `customer`, a customer key
   * in hex, is written as its pseudonym. Never rejects: the action is done.
   */
  async action(
    request: Request,
    action: string,
    what: AuditFields,
    customer: string | null = null,
  ): Promise<void> {
    const token = bearerToken(request.headers.authorization) ?? ''
    const from = request.socket.remoteAddress ?? ''
    let entry: AuditFields = { action, who: 'unknown', from, ...what }
    try {
      entry = { ...entry, who: await this.#pseudonyms.of(`operator ${token}`) }
      if (customer !== null) entry = { ...entry, customer: await this.#pseudonyms.of(customer) }
      await this.#store.add(entry)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#log.error('operator action could not be recorded', { action, reason })
    }
    this.#log.info('operator action', { audit: true, ...entry })
  }
}

/** A selection as logged, without its customer. */
export function selectionFields(selection: Selection): AuditFields {
  if (selection.by === 'ids') return { ids: selection.ids.length }
  const { reason, requestId, sinceMs } = selection.filter
  return { appId: selection.appId, reason, requestId, sinceMs }
}

export function selectedCustomer(selection: Selection): string | null {
  return selection.by === 'ids' ? null : selection.filter.customer
}

/** Actions that are kept; the oldest go first. */
const MAX_KEPT = 10_000

/** One changing action of an operator. */
type AuditEntry = Readonly<Record<string, unknown>> & {
  /** ISO 8601, of Redis' clock. */
  readonly at: string
}

/** Stores operators' actions in Redis, independent of the log. */
export class AuditStore {
  readonly #client: RedisClient
  readonly #key: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#key = deploymentKeys(prefix).audit
  }

  async add(what: Readonly<Record<string, unknown>>): Promise<void> {
    const text = JSON.stringify(what)
    await this.#client.xadd(this.#key, 'MAXLEN', '~', MAX_KEPT, '*', 'action', text)
  }

  /** The newest first. */
  async newest(limit: number): Promise<AuditEntry[]> {
    const entries = await this.#client.xrevrange(this.#key, '+', '-', 'COUNT', limit)
    return entries.map(([id, fields]) => ({
      at: new Date(Number.parseInt(id)).toISOString(),
      ...(JSON.parse(fields[1] ?? '{}') as object),
    }))
  }
}

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
