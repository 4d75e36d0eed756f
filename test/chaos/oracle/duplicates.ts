import type { Disturbance, Evidence, Loss, VendorRequest, Violation } from './model.js'

/** How long after its answer a request's elements may still be unsettled, ms. */
const SETTLING_MS = 2_000
/** Of the request timeout: MoEngage sees the first byte later than relay sends it. */
const TIMED_OUT = 0.9
/** A probe waits no longer for its answer, ms. */
const PROBE_TIMEOUT_MS = 5_000
/** How long after a fault connections are made again, ms. */
const AFTERMATH_MS = 1_000

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
  const previous = new Map<string, string>()
  const perCause = new Map<string, number>()
  const violations: Violation[] = []
  for (const { customer, seq, requestId } of arrived) {
    const key = `${customer} ${seq}`
    const before = previous.get(key)
    previous.set(key, requestId)
    if (before === undefined) continue
    const [first, second] = [byId.get(before), byId.get(requestId)]
    const cause = isLate(first, second)
      ? causeOf(second, disturbances, requestTimeoutMs)
      : causeOf(first, disturbances, requestTimeoutMs)
    if (cause !== null) perCause.set(cause, (perCause.get(cause) ?? 0) + 1)
    else {
      const detail = `${key}: request ${before} ${fateOf(first)}, again in ${requestId} ${fateOf(second)}`
      violations.push({ law: 'duplicates have a cause', detail })
    }
  }
  return { perCause, violations }
}

/** What is known of a request, to find a cause. */
function fateOf(request: VendorRequest | undefined): string {
  if (request === undefined) return '(unknown)'
  const { startedAtMs, arrivedAtMs, endedAtMs, answeredAtMs, status, fault, places } = request
  const after = (ms: number | null | undefined) => (ms == null ? 'never' : `${Math.round(ms - startedAtMs)} ms`) // prettier-ignore
  return `(${[
    `from ${places?.join(' or ') ?? 'unknown'} at ${new Date(startedAtMs).toISOString()}`,
    `arrived ${after(arrivedAtMs)}, ended ${after(endedAtMs)}, answered ${after(answeredAtMs)}`,
    `status ${status}, fault ${fault}`,
  ].join('; ')})`
}

/** What lost this request's answer, or the settle that followed it; null: nothing that is known. */
function causeOf(
  request: VendorRequest | undefined,
  disturbances: readonly Disturbance[],
  requestTimeoutMs: number,
): string | null {
  if (request === undefined) return null
  const { fault, startedAtMs, endedAtMs, answeredAtMs } = request
  if (fault !== null && !isAnswered(request)) return fault
  // The answer took longer than relay waits: relay closed the connection, and had no answer.
  const waitedMs = (answeredAtMs ?? endedAtMs ?? Infinity) - startedAtMs
  if (waitedMs >= requestTimeoutMs * TIMED_OUT) return 'timeout'
  if (request.status === null && waitedMs >= PROBE_TIMEOUT_MS * TIMED_OUT) return 'timeout'
  const suspects = disturbances.filter((one) => mayHaveLost(one, request))
  const latest = suspects.sort((a, b) => b.fromMs - a.fromMs)[0]
  return latest?.name ?? null
}

/** Whether a whole answer that says yes went to the worker: then only its settle can be lost. */
function isAnswered({ status, answeredAtMs }: VendorRequest): boolean {
  return status === 200 && answeredAtMs !== undefined
}

/** A connection that ended before MoEngage answered was closed by relay, its lease over, or was cut. */
const LOSES_CONNECTIONS: readonly Loss[] = ['answers', 'settles', 'claims', 'both']
const LOSES_ANSWERS: readonly Loss[] = ['answers', 'both']
const LOSES_SETTLES: readonly Loss[] = ['settles', 'claims', 'both']

function mayHaveLost(
  { loses, fromMs, toMs, places }: Disturbance,
  request: VendorRequest,
): boolean {
  const { startedAtMs, arrivedAtMs, endedAtMs, answeredAtMs, status } = request
  const whatIsLost = isAnswered(request)
    ? LOSES_SETTLES
    : status === null
      ? LOSES_CONNECTIONS
      : LOSES_ANSWERS
  const onlySettle = isAnswered(request) && loses !== 'claims'
  const sinceMs = onlySettle ? (answeredAtMs ?? startedAtMs) : startedAtMs
  const untilMs = (answeredAtMs ?? endedAtMs ?? arrivedAtMs ?? startedAtMs) + SETTLING_MS
  return (
    whatIsLost.includes(loses) &&
    fromMs <= untilMs &&
    toMs + AFTERMATH_MS >= sinceMs &&
    touches(places, request.places)
  )
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
