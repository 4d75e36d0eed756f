import type { Tracer } from '@relay/shared/telemetry/tracer.js'
import type { Batch } from '../batch/body.js'
import { outcomeLabel } from '../classify/outcome.js'
import type { AttemptReport } from './observer.js'

/**
 * Records a span for an attempt with elements of a traced post, with a link to the span of each such post.
 */
export function traceAttempt(tracer: Tracer, report: AttemptReport): void {
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
