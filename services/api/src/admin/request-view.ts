import type { Traced, TraceEvent } from '@relay/shared/trace/trace-entry.js'
import { stateOf, type RequestTrace } from './request-trace.js'

/** Entries of each list that are shown; the counts are of all. */
const SHOWN = 100

export function operatorsTrace(trace: RequestTrace) {
  return {
    ...summary(trace),
    app_id: trace.appId,
    sent: of('sent', trace)
      .slice(0, SHOWN)
      .map(({ atMs, bulkId, vendorRequestId = null, elements }) => ({
        at: iso(atMs),
        bulk_request_id: bulkId,
        vendor_request_id: vendorRequestId,
        elements,
      })),
    dead_lettered: trace.letters.slice(0, SHOWN).map((letter) => ({
      id: letter.id,
      kind: letter.kind,
      reason: letter.reason,
      answer: letter.answer,
      attempts: letter.attempts,
      dead_at: iso(letter.deadAtMs),
    })),
  }
}

/** A trace as the producer sees it, without the requests to MoEngage. */
export function producersTrace(trace: RequestTrace) {
  return {
    ...summary(trace),
    sent: of('sent', trace)
      .slice(0, SHOWN)
      .map(({ atMs, elements }) => ({ at: iso(atMs), elements })),
    dead_lettered: trace.letters.slice(0, SHOWN).map(({ kind, reason, deadAtMs }) => ({
      kind,
      reason,
      dead_at: iso(deadAtMs),
    })),
  }
}

function summary(trace: RequestTrace) {
  return {
    request_id: trace.requestId,
    accepted_at: iso(trace.acceptedAtMs),
    state: stateOf(trace),
    counts: {
      accepted: trace.accepted,
      queued: trace.queued,
      sent: sum(of('sent', trace)),
      dead_lettered: trace.dead,
      purged: sum(of('purged', trace)),
      shadowed: sum(of('shadowed', trace)),
    },
  }
}

function of(event: TraceEvent, { events }: RequestTrace): readonly Traced[] {
  return events.filter((one) => one.event === event)
}

function sum(events: readonly Traced[]): number {
  return events.reduce((total, { elements }) => total + elements, 0)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
