import type { Tracer } from '@relay/shared/telemetry/tracer.js'
import type { Batch } from '../batch/body.js'
import { outcomeLabel } from '../classify/outcome.js'
import type { AttemptReport, WorkerObserver } from '../dispatch/observer.js'

/**
 * Traces attempts: creates a span for each attempt with elements of a traced post, with a link to the span
 * of each such post. Passes all events on to the next observer.
 */
export class TracedObserver implements WorkerObserver {
  readonly #next: WorkerObserver
  readonly #tracer: Tracer

  constructor(next: WorkerObserver, tracer: Tracer) {
    this.#next = next
    this.#tracer = tracer
  }

  attempted(report: AttemptReport): void {
    this.#next.attempted(report)
    const { appId, lane, attemptId, probe, batch, answer, outcome } = report
    const { posts, links } = originsOf(batch)
    if (links.length === 0) return
    this.#tracer.record({
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

  delivered(...settled: Parameters<WorkerObserver['delivered']>): void {
    this.#next.delivered(...settled)
  }

  advertised(...limit: Parameters<WorkerObserver['advertised']>): void {
    this.#next.advertised(...limit)
  }

  customerHeld(...held: Parameters<WorkerObserver['customerHeld']>): void {
    this.#next.customerHeld(...held)
  }

  deadLettered(...buried: Parameters<WorkerObserver['deadLettered']>): void {
    this.#next.deadLettered(...buried)
  }

  shadowed(...dropped: Parameters<WorkerObserver['shadowed']>): void {
    this.#next.shadowed(...dropped)
  }

  possiblyDuplicated(...again: Parameters<WorkerObserver['possiblyDuplicated']>): void {
    this.#next.possiblyDuplicated(...again)
  }
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
