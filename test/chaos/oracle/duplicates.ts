import type { Disturbance, Evidence, VendorRequest, Violation } from './model.js'

/** How long after its answer a request's elements may still be unsettled, ms. */
const SETTLING_MS = 2_000
/** Of the request timeout: MoEngage sees the first byte later than relay sends it. */
const TIMED_OUT = 0.9
/** How long after a fault its consequences last: a lease runs out, another worker takes over. */
const AFTERMATH_MS = 3_000

export interface Duplicates {
  /** Elements that arrived again, by what explains it. */
  readonly perCause: ReadonlyMap<string, number>
  readonly violations: readonly Violation[]
}

/** Explains every repeated delivery by the fate of the one before it. */
export function explainDuplicates({
  arrived,
  requests,
  disturbances,
  requestTimeoutMs,
}: Evidence): Duplicates {
  const byId = new Map(requests.map((request) => [request.requestId, request]))
  const suspects = disturbances.filter(({ mayDuplicate }) => mayDuplicate)
  const previous = new Map<string, string>()
  const perCause = new Map<string, number>()
  const violations: Violation[] = []
  for (const { customer, seq, requestId } of arrived) {
    const key = `${customer} ${String(seq)}`
    const before = previous.get(key)
    previous.set(key, requestId)
    if (before === undefined) continue
    const [first, second] = [byId.get(before), byId.get(requestId)]
    const cause = isLate(first, second)
      ? causeOf(second, suspects, requestTimeoutMs)
      : causeOf(first, suspects, requestTimeoutMs)
    if (cause !== null) perCause.set(cause, (perCause.get(cause) ?? 0) + 1)
    else {
      const detail = `${key}: request ${before}, again in ${requestId}`
      violations.push({ law: 'duplicates have a cause', detail })
    }
  }
  return { perCause, violations }
}

function causeOf(
  request: VendorRequest | undefined,
  suspects: readonly Disturbance[],
  requestTimeoutMs: number,
): string | null {
  if (request === undefined) return null
  if (request.fault !== null) return request.fault
  const { startedAtMs, arrivedAtMs, endedAtMs, status } = request
  // MoEngage took longer than relay waits: relay closed the connection, and had no answer.
  const openMs = (endedAtMs ?? Infinity) - startedAtMs
  if (status === null && openMs >= requestTimeoutMs * TIMED_OUT) return 'timeout'
  const untilMs = (endedAtMs ?? arrivedAtMs ?? startedAtMs) + SETTLING_MS
  const near = suspects.filter(
    ({ fromMs, toMs, places }) =>
      fromMs <= untilMs && toMs + AFTERMATH_MS >= startedAtMs && touches(places, request.places),
  )
  const latest = near.sort((a, b) => b.fromMs - a.fromMs)[0]
  return latest?.name ?? null
}

/** Whether the second to arrive was the first to be sent: what repeats it came before. */
function isLate(first: VendorRequest | undefined, second: VendorRequest | undefined): boolean {
  return first !== undefined && second !== undefined && second.startedAtMs < first.startedAtMs
}

/** Whether a fault of these processes can have lost the answer to a request of those. */
function touches(faulty: readonly string[] | undefined, senders: readonly string[] | undefined) {
  if (faulty === undefined || senders === undefined || senders.length === 0) return true
  return senders.some((sender) => faulty.includes(sender))
}
