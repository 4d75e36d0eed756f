import type { Kind, Lane } from '@relay/shared/element.js'
import type { DeadLetterReason } from '@relay/shared/dead-letters/dead-letter.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { Tracer } from '@relay/shared/telemetry/tracer.js'
import type { Batch } from '../batch/body.js'
import type { Item } from '../fetch/window.js'
import { outcomeLabel, type Outcome } from '../classify/outcome.js'
import type { AttemptReport, WorkerObserver } from './observer.js'
import { COALESCED_KINDS, SAVED_BUDGET, type WorkerMetrics } from './metrics.js'

/** Exports the worker's events as metrics, one log line per attempt, and spans of traced attempts. */
export class Reporter implements WorkerObserver {
  readonly #metrics: WorkerMetrics
  readonly #log: Logger
  readonly #tracer: Tracer | null

  constructor(metrics: WorkerMetrics, log: Logger, tracer: Tracer | null) {
    this.#metrics = metrics
    this.#log = log
    this.#tracer = tracer
  }

  attempted(report: AttemptReport): void {
    const { appId, lane, attemptId, probe, batch, answer, outcome } = report
    this.#gauge(report)
    const label = outcomeLabel(outcome)
    const { requests, requestBody, requestElements, requestDuration } = this.#metrics
    requests.inc({ app_id: appId, outcome: label })
    if (answer.kind !== 'not_sent') {
      requestBody.observe({ app_id: appId }, batch.bodyBytes)
      requestElements.observe(batch.items.length)
      requestDuration.observe({ app_id: appId }, answer.timings.totalMs / 1000)
    }
    const fields = {
      appId,
      lane,
      attemptId,
      probe,
      outcome: label,
      elements: batch.items.length,
      written: batch.runs.length,
      bodyBytes: batch.bodyBytes,
      users: batch.cost.users,
      events: batch.cost.events,
      ...(batch.projectCode === undefined ? {} : { project: batch.projectCode }),
      durationMs: Math.round(answer.timings.totalMs),
      ...(answer.kind === 'response' ? { status: answer.status } : { why: answer.why }),
      ...vendorWords(outcome),
    }
    if (outcome.outcome === 'delivered') this.#log.info('attempt', fields)
    else this.#log.warn('attempt', fields)
    if (this.#tracer !== null) traceAttempt(this.#tracer, report)
  }

  #gauge({ appId, gauge }: AttemptReport): void {
    const { vendorLimit, vendorRemaining, vendorReset } = this.#metrics
    const labels = { app_id: appId }
    if (gauge?.limit != null) vendorLimit.set(labels, gauge.limit)
    if (gauge?.remaining != null) vendorRemaining.set(labels, gauge.remaining)
    if (gauge?.resetMs != null) vendorReset.set(labels, gauge.resetMs / 1000)
  }

  advertised(appId: string, limit: number, differs: boolean): void {
    this.#metrics.vendorLimitDiffers.set({ app_id: appId }, differs ? 1 : 0)
    const message = 'MoEngage advertises a limit that is not configured; compare the workspace limits with the account' // prettier-ignore
    if (differs) this.#log.warn(message, { appId, limit })
  }

  customerHeld(appId: string, customer: string, waitMs: number): void {
    this.#metrics.customersHeld.inc({ app_id: appId })
    const message = 'a customer is held back: MoEngage blocks end users with this many requests; look for a test, shared or default id at the producer' // prettier-ignore
    const hash = Buffer.from(customer, 'latin1').toString('hex')
    this.#log.warn(message, { appId, customer: hash, waitMs: Math.round(waitMs) })
  }

  shadowed(appId: string, { items }: Batch): void {
    const elements = items.reduce((sum, { element }) => sum + element.posted, 0)
    this.#metrics.shadowed.inc({ app_id: appId }, elements)
  }

  delivered(appId: string, lane: Lane, batch: Batch, answeredAtMs: number): void {
    const counts: Record<Kind, number> = { user: 0, event: 0, device: 0 }
    const { latency } = this.#metrics
    for (const [acceptedAtMs, posted] of postedByAcceptance(batch.items, counts)) {
      const seconds = Math.max(0, answeredAtMs - acceptedAtMs) / 1000
      latency.observe({ app_id: appId, lane }, seconds, posted)
    }
    for (const kind of ['user', 'event', 'device'] as const) {
      if (counts[kind] > 0) this.#metrics.delivered.inc({ app_id: appId, kind, lane }, counts[kind])
    }
    this.#coalesced(appId, batch)
  }

  #coalesced(appId: string, { runs, saved }: Batch): void {
    const counts: Record<Kind, number> = { user: 0, event: 0, device: 0 }
    for (const { items } of runs) counts[items[0].element.kind] += items.length - 1
    for (const kind of COALESCED_KINDS) this.#metrics.coalesced.inc({ kind }, counts[kind])
    const budget = SAVED_BUDGET
    this.#metrics.budgetSaved.inc({ app_id: appId, budget }, saved[budget])
  }

  deadLettered(appId: string, kind: Kind, reason: DeadLetterReason, posted: number): void {
    this.#metrics.deadLettered.inc({ app_id: appId, kind, reason }, posted)
  }

  possiblyDuplicated(appId: string, elements: number): void {
    this.#metrics.possibleDuplicates.inc({ app_id: appId }, elements)
  }
}

/** Elements as posted by acceptance time, ms; adds them to `counts` too. Those of one post are adjacent. */
function postedByAcceptance(items: readonly Item[], counts: Record<Kind, number>) {
  const byMs = new Map<number, number>()
  let atMs = NaN
  let posted = 0
  for (const { element } of items) {
    counts[element.kind] += element.posted
    const { acceptedAtMs } = element.provenance
    if (acceptedAtMs !== atMs) {
      if (posted > 0) byMs.set(atMs, (byMs.get(atMs) ?? 0) + posted)
      atMs = acceptedAtMs
      posted = 0
    }
    posted += element.posted
  }
  if (posted > 0) byMs.set(atMs, (byMs.get(atMs) ?? 0) + posted)
  return byMs
}

function vendorWords(outcome: Outcome) {
  if (outcome.outcome === 'delivered') return { vendorRequestId: outcome.requestId }
  if (!('error' in outcome)) return {}
  return { vendorType: outcome.error.type, vendorRequestId: outcome.error.requestId }
}

/**
 * Records a span for an attempt with elements of a traced post, with a link to the span of each such post.
 */
function traceAttempt(tracer: Tracer, report: AttemptReport): void {
  const { appId, lane, attemptId, probe, batch, answer, outcome } = report
  const { posts, links } = originsOf(batch)
  if (links.length === 0) return
  tracer.record({
    name: 'relay bulk request',
    durationMs: answer.timings.totalMs,
    links,
    failed: outcome.outcome !== 'delivered',
    facts: {
      'http.request.method': 'POST',
      ...(answer.kind === 'response' ? { 'http.response.status_code': answer.status } : {}),
      'relay.app_id': appId,
      'relay.lane': lane,
      'relay.attempt_id': attemptId,
      'relay.probe': probe,
      'relay.outcome': outcomeLabel(outcome),
      'relay.body_bytes': batch.bodyBytes,
      'relay.elements': batch.items.length,
      'relay.posts': posts,
      'relay.traced_posts': links.length,
    },
  })
}

/** Number of posts in the batch, and the distinct spans of the traced ones. */
function originsOf({ items }: Batch): { posts: number; links: readonly Buffer[] } {
  const spans = new Map<string, Buffer | undefined>()
  for (const { element } of items) {
    spans.set(element.provenance.requestId, element.provenance.span)
  }
  const links = [...spans.values()].filter((span) => span !== undefined)
  return { posts: spans.size, links }
}
