import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { Selection } from './selection.js'

/** One log line per changing action of an operator: who, what, how many. */
export class AuditLog {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  /** `who` is the token's holder: a digest of it tells two tokens apart and gives none away. */
  action(request: Request, action: string, what: Readonly<Record<string, unknown>>): void {
    const token = request.headers.authorization ?? ''
    const who = createHash('sha256').update(token, 'utf8').digest('hex').slice(0, 8)
    const from = request.socket.remoteAddress ?? ''
    this.#log.info('operator action', { audit: true, action, who, from, ...what })
  }
}

/** A selection as logged: a customer stands as its hash. */
export function selectionFields(selection: Selection): Readonly<Record<string, unknown>> {
  if (selection.by === 'ids') return { ids: selection.ids.length }
  const { reason, customer, requestId, sinceMs } = selection.filter
  return { appId: selection.appId, reason, customer, requestId, sinceMs }
}
