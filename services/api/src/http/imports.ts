import type { Request } from 'express'
import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import {
  Importer,
  LISTED,
  MAX_LISTED,
  type ImportDeps,
  type ImportResult,
} from '../import/importer.js'
import type { Cause, Detail, Refusal } from '../refusal.js'
import { refusalAnswer, type Answer } from './envelope.js'
import { parametersRefusal, readImportHeaders, readQuery } from './headers.js'
import { ImportSource } from './import-source.js'

export interface ImportLimits {
  /** Maximum bytes of a line: the limit of a request of the other endpoints. */
  readonly maxRequestBytes: number
  readonly maxImports: number
  /** Maximum concurrent imports of one producer, so that none can use all slots. */
  readonly maxImportsPerProducer: number
  readonly importIdleMs: number
}

export interface Sender {
  readonly workspace: Workspace
  readonly producer: string
}

export interface ImportOutcome {
  /** null: the caller disconnected. */
  readonly answer: Answer | null
  readonly accepted: number
  readonly bodyBytes: number
  /** Why relay itself refused it or stopped it; null otherwise. */
  readonly cause: Cause | null
}

const BUSY: Refusal = {
  status: 503,
  cause: 'import_limit',
  type: 'Service Unavailable',
  message: 'Limit of concurrent imports reached. Nothing of this one was stored; post it again.',
  retryAfterMs: 10_000,
}

function tooManyOfOne(most: number): Refusal {
  return {
    status: 429,
    type: 'Rate Limit Exceeded',
    message: `Limit of ${most} concurrent imports per producer reached. Nothing of this one was stored; post it again when one of them has ended.`,
    retryAfterMs: 10_000,
  }
}

/** `POST /v1/import` of an authenticated caller: connects HTTP with the importer. */
export class Imports {
  readonly #importer: Importer
  readonly #limits: ImportLimits
  readonly #stopping: AbortSignal
  readonly #clock: Clock
  /** Imports in progress by producer. */
  readonly #running = new Map<string, number>()

  constructor(deps: Omit<ImportDeps, 'maxLineBytes'>, limits: ImportLimits, stopping: AbortSignal) {
    this.#importer = new Importer({ ...deps, maxLineBytes: limits.maxRequestBytes })
    this.#limits = limits
    this.#stopping = stopping
    this.#clock = deps.clock
  }

  async run(request: Request, sender: Sender, requestId: string): Promise<ImportOutcome> {
    const read = readImportHeaders(request)
    if (!read.ok) return refused(read.refusal, requestId)
    const query = readQuery(request.url, ['first_line', 'max_errors'])
    if (!query.ok) return refused(query.refusal, requestId)
    const { projectCode, warnings } = query.query
    const numbers = readNumbers(request)
    if ('refusal' in numbers) return refused(numbers.refusal, requestId)
    const { firstLine, listed } = numbers
    const busy = this.#refusal(sender.producer)
    if (busy !== null) return refused(busy, requestId)
    const { gzip, idempotencyKey } = read
    const { importIdleMs: idleMs } = this.#limits
    const source = new ImportSource(request, {
      gzip,
      idleMs,
      stopping: this.#stopping,
      clock: this.#clock,
    })
    this.#count(sender.producer, 1)
    try {
      const asked = { ...sender, requestId, idempotencyKey, projectCode, firstLine, listed }
      const result = await this.#importer.run(asked, source)
      const answer = answerOf(result, requestId, warnings)
      const cause = typeof result.end === 'object' ? (result.end.cause ?? null) : null
      const { accepted } = result.tally
      return { answer, accepted, cause, bodyBytes: source.bodyBytes }
    } finally {
      this.#count(sender.producer, -1)
      source.discard()
    }
  }

  /** Each import holds a batch and a decompressor, so their number is limited. */
  #refusal(producer: string): Refusal | null {
    const { maxImports, maxImportsPerProducer: most } = this.#limits
    if ((this.#running.get(producer) ?? 0) >= most) return tooManyOfOne(most)
    const all = [...this.#running.values()].reduce((sum, running) => sum + running, 0)
    return all >= maxImports ? BUSY : null
  }

  #count(producer: string, change: 1 | -1): void {
    const running = (this.#running.get(producer) ?? 0) + change
    if (running === 0) this.#running.delete(producer)
    else this.#running.set(producer, running)
  }
}

function refused(refusal: Refusal, requestId: string): ImportOutcome {
  const cause = refusal.cause ?? null
  return { answer: refusalAnswer(refusal, requestId), accepted: 0, cause, bodyBytes: 0 }
}

const FIRST_LINE: Detail = {
  attribute: 'first_line',
  message: 'first_line must be a whole number from 1',
}

const MAX_ERRORS: Detail = {
  attribute: 'max_errors',
  message: `max_errors must be a whole number from 1 to ${MAX_LISTED}`,
}

function readNumbers({ query }: Request) {
  const firstLine = wholeNumber(query.first_line, 1)
  const listed = wholeNumber(query.max_errors, LISTED)
  const details: Detail[] = []
  if (firstLine === null) details.push(FIRST_LINE)
  if (listed === null || listed > MAX_LISTED) details.push(MAX_ERRORS)
  const refusal = parametersRefusal(details)
  return refusal === null ? { firstLine: firstLine ?? 1, listed: listed ?? LISTED } : { refusal }
}

/** A query parameter, or `absent` without it; null if it is not a whole number from 1. */
function wholeNumber(query: unknown, absent: number): number | null {
  if (query === undefined) return absent
  return typeof query === 'string' && /^[1-9]\d{0,14}$/.test(query) ? Number(query) : null
}

/** contract: `{accepted, rejected, errors, request_id}`, and `last_line` if it was stopped. */
function answerOf(
  { tally, end }: ImportResult,
  requestId: string,
  ofRequest: readonly Detail[],
): Answer | null {
  if (end === 'aborted') return null
  const { accepted, rejected, errors, lastLine } = tally
  const warnings = [...ofRequest, ...tally.warnings]
  const doubts = warnings.length > 0 ? { warnings } : {}
  const facts = { accepted, rejected, errors, ...doubts, request_id: requestId }
  if (end === 'done') return { status: 200, body: JSON.stringify(facts) }
  const refusal = refusalAnswer(end, requestId)
  const envelope = JSON.parse(refusal.body) as object
  return { ...refusal, body: JSON.stringify({ ...envelope, ...facts, last_line: lastLine }) }
}
