import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { queuedBytes } from '@relay/shared/queue/backlog.js'
import type { Post, PostStore } from '@relay/shared/queue/post.js'
import type { Census } from '../census/census.js'
import { countRejected, countStored, countWarnings } from '../accept/count.js'
import { LARGE_BODY_BYTES, type AssessmentOutcome } from '../accept/assess.js'
import { STAYS, type FairSlices } from '../accept/fairness.js'
import type { IntakeObserver, LargeBodies, Quota, QuotaRequest } from '../accept/ports.js'
import * as refusals from '../accept/refusals.js'
import type { Refusal } from '../refusal.js'
import { vocabularyOf } from '../validate/vocabulary.js'
import {
  batchDigest,
  judgingBatch,
  type BatchContext,
  type JudgedBatch,
  type LineFinding,
} from './batch.js'
import { NdjsonSplitter, type Line } from './ndjson.js'

/** What the caller sends next. */
export type Chunk =
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  /** Nothing more can be read, for this reason. */
  | { readonly kind: 'fault'; readonly refusal: Refusal }
  /** The caller disconnected; there is no one to answer. */
  | { readonly kind: 'aborted' }

/** The body of an import. Never rejects; the next chunk is read once the last one is processed. */
export interface ChunkSource {
  next(): Promise<Chunk>
}

export interface ImportRequest {
  readonly workspace: Workspace
  readonly producer: string
  readonly requestId: string
  readonly idempotencyKey: string | null
  readonly projectCode: string | null
  /** Number of the first line; a resumed import keeps its numbers. */
  readonly firstLine: number
  /** Errors, and warnings, that the answer lists. */
  readonly listed: number
}

export interface ImportResult {
  readonly tally: Tally
  readonly end: 'done' | 'aborted' | Refusal
}

export interface ImportDeps {
  readonly store: PostStore
  readonly quota: Quota
  readonly clock: Clock
  readonly observer: IntakeObserver
  readonly census?: Pick<Census, 'known' | 'consider'> | undefined
  /** A batch of which nothing is stored waits for nothing else. */
  readonly slices: FairSlices
  /** null: long lines are judged like all others. */
  readonly largeBodies: LargeBodies | null
  readonly maxLineBytes: number
}

/** A batch is stored at this many lines or bytes. Nothing else decides which lines share a batch. */
const BATCH_LINES = 500
const BATCH_BYTES = 262_144

const LANE = 'backfill'

/**
 * Streams lines into the backfill lane, one batch at a time: the next is read once the last is
 * stored, so memory is bounded by one batch and the queue keeps the order of the lines.
 */
export class Importer {
  readonly #deps: ImportDeps

  constructor(deps: ImportDeps) {
    this.#deps = deps
  }

  /** Never rejects because of the caller or Redis. */
  async run(request: ImportRequest, source: ChunkSource): Promise<ImportResult> {
    const splitter = new NdjsonSplitter(this.#deps.maxLineBytes, request.firstLine)
    const tally = new Tally(request.firstLine, request.listed)
    const batch = new Batch(batchLines(request))
    for (;;) {
      const chunk = await source.next()
      if (chunk.kind === 'aborted') return { tally, end: 'aborted' }
      if (chunk.kind === 'fault') return { tally, end: chunk.refusal }
      for (const line of linesOf(splitter, chunk)) {
        batch.add(line)
        if (!batch.isFull) continue
        const refusal = await this.#store(request, batch.take(), tally)
        if (refusal !== null) return { tally, end: refusal }
      }
      if (chunk.kind === 'data') continue
      const refusal = await this.#store(request, batch.take(), tally)
      // Blank lines at the end count, too.
      if (refusal === null) tally.lastLine = splitter.ended
      return { tally, end: refusal ?? 'done' }
    }
  }

  /** Stores and counts a batch, or returns why it cannot. */
  async #store(request: ImportRequest, lines: readonly Line[], tally: Tally) {
    const last = lines.at(-1)
    if (last === undefined) return null
    const { clock, maxLineBytes } = this.#deps
    const { workspace, producer, projectCode } = request
    const { appId } = workspace
    const nowMs = clock.nowMs()
    const context: BatchContext = {
      ...{ endpoint: 'line', workspaceLimits: workspace.limits, maxLineBytes, nowMs },
      limits: { maxElements: 1, maxFindings: request.listed },
      names: vocabularyOf(workspace),
      known: this.#deps.census?.known(appId),
    }
    const steps = judgingBatch(lines, context, await this.#judgeLong(producer, lines, context))
    const judged = await this.#deps.slices.run(producer, steps, STAYS)
    if (judged === null) throw new Error('unreachable: an import stays')
    const post = this.#postOf(request, lines, judged, nowMs)
    const refusal = judged.elements.length === 0 ? null : await this.#post(request, post, judged)
    if (refusal !== null) return refusal
    const { seen, findings } = judged.assessment
    this.#deps.census?.consider(appId, { producer, projectCode, nowMs }, seen, findings)
    this.#count(workspace, judged)
    tally.add(judged, last.number)
    return null
  }

  /** Judges lines that would block the event loop. */
  async #judgeLong(producer: string, lines: readonly Line[], context: BatchContext) {
    const judged = new Map<Line, AssessmentOutcome>()
    const { largeBodies } = this.#deps
    if (largeBodies === null) return judged
    for (const line of lines) {
      const { bytes } = line
      if (bytes === null || bytes.length < LARGE_BODY_BYTES) continue
      const outcome = await largeBodies.assess(producer, bytes, context, STAYS)
      if (outcome !== null) judged.set(line, outcome)
    }
    return judged
  }

  #postOf(request: ImportRequest, lines: readonly Line[], judged: JudgedBatch, nowMs: number) {
    const { workspace, producer, requestId, idempotencyKey: key, projectCode } = request
    const { appId } = workspace
    const identity = { producer, appId, key: key ?? '', projectCode }
    return {
      appId,
      lane: LANE,
      requestId,
      projectCode: projectCode ?? undefined,
      acceptedAtMs: nowMs,
      elements: judged.elements,
      digest: key === null ? undefined : batchDigest(identity, lines, judged),
    } as const
  }

  async #post(request: ImportRequest, post: Post, judged: JudgedBatch): Promise<Refusal | null> {
    const { store, observer } = this.#deps
    const { workspace } = request
    const quota = quotaOf(request, judged)
    if (quota !== null) {
      const taken = await this.#deps.quota.take(quota)
      if (!taken.granted) return refusals.quotaRefusal(taken)
    }
    const stored = await store.store(post)
    if (stored.outcome === 'stored') return null
    countStored(observer, { workspace, lane: LANE }, judged.assessment, 'unavailable')
    if (stored.outcome === 'refused' && quota !== null) await this.#deps.quota.giveBack(quota)
    return refusals.importRefusal(stored.outcome, stored.reason)
  }

  #count(workspace: Workspace, { assessment }: JudgedBatch): void {
    const { observer } = this.#deps
    const counted = { workspace, lane: LANE } as const
    countRejected(observer, counted, assessment)
    countStored(observer, counted, assessment, 'accepted')
    countWarnings(observer, counted, assessment)
  }
}

/** Lines that are stored in one step. */
class Batch {
  readonly #maxLines: number
  #lines: Line[] = []
  #bytes = 0

  constructor(maxLines: number) {
    this.#maxLines = maxLines
  }

  get isFull(): boolean {
    return this.#lines.length >= this.#maxLines || this.#bytes >= BATCH_BYTES
  }

  add(line: Line): void {
    this.#lines.push(line)
    this.#bytes += line.bytes?.length ?? 0
  }

  take(): readonly Line[] {
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    return lines
  }
}

function* linesOf(splitter: NdjsonSplitter, chunk: Chunk & { kind: 'data' | 'end' }) {
  if (chunk.kind === 'data') yield* splitter.push(chunk.bytes)
  else {
    const last = splitter.end()
    if (last !== null) yield last
  }
}

/** A batch must not exceed what the producer's quota can grant. */
function batchLines({ workspace, producer }: ImportRequest): number {
  return Math.min(BATCH_LINES, workspace.quotas.get(producer)?.elementsPerMinute ?? BATCH_LINES)
}

function quotaOf({ workspace, producer }: ImportRequest, judged: JudgedBatch): QuotaRequest | null {
  const quota = workspace.quotas.get(producer)
  if (quota === undefined) return null
  const bytes = queuedBytes(judged.elements)
  const elements = judged.assessment.accepted.length
  return { producer, appId: workspace.appId, lane: LANE, quota, elements, bytes }
}

/** Default number of errors, and warnings, in an answer. contract: "first 100". */
export const LISTED = 100
/** Maximum that a caller can request: about 2 MB of answer. */
export const MAX_LISTED = 10_000

/** The known outcome of an import so far. */
export class Tally {
  accepted = 0
  rejected = 0
  /** Every line up to this one is stored or rejected. */
  lastLine: number
  readonly errors: LineFinding[] = []
  readonly warnings: LineFinding[] = []

  readonly #listed: number

  constructor(firstLine: number, listed: number) {
    this.lastLine = firstLine - 1
    this.#listed = listed
  }

  add({ assessment, rejected, errors, warnings }: JudgedBatch, lastLine: number): void {
    this.accepted += assessment.accepted.length
    this.rejected += rejected
    this.lastLine = lastLine
    this.errors.push(...errors.slice(0, this.#listed - this.errors.length))
    this.warnings.push(...warnings.slice(0, this.#listed - this.warnings.length))
  }
}
