import type { Request } from 'express'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { Importer, type ImportDeps, type ImportResult } from '../import/importer.js'
import type { Refusal } from '../refusal.js'
import { refusalAnswer, type Answer } from './envelope.js'
import { readImportHeaders } from './headers.js'
import { ImportSource } from './import-source.js'

export interface ImportLimits {
  /** Longest line, bytes: what one request of the other endpoints may hold. */
  readonly maxRequestBytes: number
  readonly maxImports: number
  readonly importIdleMs: number
}

export interface Sender {
  readonly workspace: Workspace
  readonly producer: string
}

export interface ImportOutcome {
  /** null: the caller went away. */
  readonly answer: Answer | null
  readonly accepted: number
  readonly bodyBytes: number
}

const BUSY: Refusal = {
  status: 503,
  type: 'Service Unavailable',
  message: 'Too many imports are under way. Nothing of this one was stored; post it again.',
  retryAfterMs: 10_000,
}

/** `POST /v1/import`, once it is known who asks: the door between HTTP and the importer. */
export class Imports {
  readonly #importer: Importer
  readonly #limits: ImportLimits
  readonly #stopping: AbortSignal
  #running = 0

  constructor(deps: Omit<ImportDeps, 'maxLineBytes'>, limits: ImportLimits, stopping: AbortSignal) {
    this.#importer = new Importer({ ...deps, maxLineBytes: limits.maxRequestBytes })
    this.#limits = limits
    this.#stopping = stopping
  }

  async run(request: Request, sender: Sender, requestId: string): Promise<ImportOutcome> {
    const read = readImportHeaders(request)
    if (!read.ok) return refused(read.refusal, requestId)
    const firstLine = readFirstLine(request.query.first_line)
    if (firstLine === null) return refused(FIRST_LINE, requestId)
    // Each holds a batch and a decompressor: without a bound, memory would have none.
    if (this.#running >= this.#limits.maxImports) return refused(BUSY, requestId)
    const { gzip, idempotencyKey } = read
    const { importIdleMs: idleMs } = this.#limits
    const source = new ImportSource(request, { gzip, idleMs, stopping: this.#stopping })
    this.#running++
    try {
      const asked = { ...sender, requestId, idempotencyKey, firstLine }
      const result = await this.#importer.run(asked, source)
      const answer = answerOf(result, requestId)
      return { answer, accepted: result.tally.accepted, bodyBytes: source.bodyBytes }
    } finally {
      this.#running--
      source.discard()
    }
  }
}

function refused(refusal: Refusal, requestId: string): ImportOutcome {
  return { answer: refusalAnswer(refusal, requestId), accepted: 0, bodyBytes: 0 }
}

const FIRST_LINE: Refusal = {
  status: 400,
  type: 'InvalidParams',
  message: 'first_line must be a whole number from 1',
  attribute: 'first_line',
}

/** What the first line is called; null: the parameter is no line number. */
function readFirstLine(query: unknown): number | null {
  if (query === undefined) return 1
  return typeof query === 'string' && /^[1-9]\d{0,14}$/.test(query) ? Number(query) : null
}

/** contract: `{accepted, rejected, errors, request_id}`, and `last_line` when it was stopped. */
function answerOf({ tally, end }: ImportResult, requestId: string): Answer | null {
  if (end === 'aborted') return null
  const { accepted, rejected, errors, warnings, lastLine } = tally
  const doubts = warnings.length > 0 ? { warnings } : {}
  const facts = { accepted, rejected, errors, ...doubts, request_id: requestId }
  if (end === 'done') return { status: 200, body: JSON.stringify(facts) }
  const refusal = refusalAnswer(end, requestId)
  const envelope = JSON.parse(refusal.body) as object
  return { ...refusal, body: JSON.stringify({ ...envelope, ...facts, last_line: lastLine }) }
}
