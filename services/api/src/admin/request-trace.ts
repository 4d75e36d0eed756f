import type { Clock } from '@relay/shared/clock.js'
import type { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { ANY_LETTER, type DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import {
  isIntact,
  MAX_COUNTED_ELEMENTS,
  parseRequestId,
  producerTag,
  type RequestIdFacts,
} from '@relay/shared/request-id.js'
import type { Traced, TraceEvent } from '@relay/shared/trace/trace-entry.js'
import { TRACE_KEPT_MS, type TraceStore } from '@relay/shared/trace/trace-store.js'

interface RequestTracerParts {
  readonly traces: TraceStore
  readonly letters: DeadLetterStore
  readonly clock: Clock
  /** The backlog as last read; null: unknown. */
  readonly lanes: () => readonly LaneBacklog[] | null
}

/** Where the elements of a request are now. */
interface RequestTrace {
  readonly requestId: string
  /** null while none of its elements has left the queue: the id does not contain it. */
  readonly appId: string | null
  readonly acceptedAtMs: number
  readonly producerTag: number
  /** Elements accepted; null if the id does not contain it (imports). */
  readonly accepted: number | null
  /** Neither sent nor dead nor purged; null when `accepted` is, or when nothing waits: Redis lost the rest. */
  readonly queued: number | null
  readonly events: readonly Traced[]
  readonly letters: readonly DeadLetter[]
  readonly dead: number
}

/** Maximum number of letters read per request. */
const MAX_LETTERS = 1_000
/** Later after acceptance, what does not wait is noted, ms. */
const NOTED_WITHIN_MS = 10_000
/** An id from further in the future than this was not issued by relay, ms. */
const MAX_AHEAD_MS = 60_000

/** Finds the outcome of a request; null if relay did not issue the id or its trace has expired. */
export async function traceRequest(
  parts: RequestTracerParts,
  appIds: readonly string[],
  requestId: string,
): Promise<RequestTrace | null> {
  const facts = parseRequestId(requestId)
  const nowMs = parts.clock.nowMs()
  if (facts === null || facts.acceptedAtMs > nowMs + MAX_AHEAD_MS) return null
  const found = await Promise.all(appIds.map((appId) => findIn(parts, appId, requestId)))
  const own = found.find(({ events, letters }) => events.length > 0 || letters.length > 0)
  const isForgotten =
    found.some((one) => one.isForgotten) || nowMs - facts.acceptedAtMs > TRACE_KEPT_MS
  const isQueued = !isForgotten && facts.elementCount > 0 && isIntact(requestId)
  if (own === undefined && !isQueued) return null
  const trace = traceOf(requestId, facts, own)
  const isNoted = nowMs - facts.acceptedAtMs > NOTED_WITHIN_MS
  const isLost = isNoted && isEmpty(parts.lanes(), own === undefined ? appIds : [own.appId])
  return isLost && trace.queued !== 0 ? { ...trace, queued: null } : trace
}

/** Whether nothing waits in these workspaces, as far as is known. */
function isEmpty(lanes: readonly LaneBacklog[] | null, appIds: readonly string[]): boolean {
  return (
    lanes?.every(({ appId, oldestMs }) => oldestMs === null || !appIds.includes(appId)) ?? false
  )
}

interface Found {
  readonly appId: string
  readonly events: readonly Traced[]
  readonly letters: readonly DeadLetter[]
  /** Traces of that time were dropped to free memory. */
  readonly isForgotten: boolean
}

async function findIn(
  { traces, letters }: RequestTracerParts,
  appId: string,
  requestId: string,
): Promise<Found> {
  const filter = { ...ANY_LETTER, requestId }
  const [events, page] = await Promise.all([
    traces.find(appId, requestId),
    letters.page(appId, { filter, first: 'oldest', after: null, limit: MAX_LETTERS }),
  ])
  return {
    appId,
    events: events ?? [],
    letters: page.letters.map(({ letter }) => letter),
    isForgotten: events === null,
  }
}

function traceOf(requestId: string, facts: RequestIdFacts, own: Found | undefined): RequestTrace {
  const { acceptedAtMs, producerTag, elementCount } = facts
  const { appId = null, events = [], letters = [] } = own ?? {}
  const dead = letters.reduce((sum, { posted }) => sum + posted, 0)
  const gone = events.reduce((sum, { elements }) => sum + elements, dead)
  const isCounted = elementCount > 0 && elementCount < MAX_COUNTED_ELEMENTS
  return {
    ...{ requestId, appId, acceptedAtMs, producerTag, events, letters, dead },
    accepted: isCounted ? elementCount : null,
    queued: isCounted ? Math.max(0, elementCount - gone) : null,
  }
}

type RequestState = 'unknown' | 'queued' | 'sent' | 'dead_lettered' | 'purged' | 'shadowed'

/**
 * One word for the request: `queued` while any element is pending, otherwise the worst outcome; `unknown` when
 * it is not known how many were accepted, as of an import.
 */
export function stateOf({ accepted, queued, events, dead }: RequestTrace): RequestState {
  if (queued === null) return 'unknown'
  if (queued > 0) return 'queued'
  if (dead > 0) return 'dead_lettered'
  const befell = (what: TraceEvent) => events.some(({ event }) => event === what)
  // An erasure takes elements from the queues while a request carries them.
  const sent = events.reduce((sum, one) => sum + (one.event === 'sent' ? one.elements : 0), 0)
  if (accepted !== null && sent >= accepted) return 'sent'
  if (befell('purged')) return 'purged'
  return befell('shadowed') ? 'shadowed' : 'sent'
}

interface OwnRequest {
  readonly requestId: string
  readonly producer: string
  /** The workspace as which the producer asks. */
  readonly appId: string
  /** All that there are. */
  readonly appIds: readonly string[]
}

/**
 * Finds a producer's own request; null if it is unknown or another producer's. If the workspace that
 * the producer names has no trace of it, the other workspaces are searched: the id does not contain
 * the workspace.
 */
export async function traceOwnRequest(
  parts: RequestTracerParts,
  { requestId, producer, appId, appIds }: OwnRequest,
): Promise<RequestTrace | null> {
  if (parseRequestId(requestId)?.producerTag !== producerTag(producer)) return null
  const here = await traceRequest(parts, [appId], requestId)
  if (here !== null && here.appId !== null) return here
  const elsewhere = appIds.filter((other) => other !== appId)
  const there = await traceRequest(parts, elsewhere, requestId)
  return there !== null && there.appId !== null ? there : here
}

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
