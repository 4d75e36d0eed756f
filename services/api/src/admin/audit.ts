import type { Request } from 'express'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { AuditStore } from './audit-store.js'
import type { Pseudonyms } from './pseudonym.js'
import type { Selection } from './selection.js'
import { bearerToken } from './token.js'

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
