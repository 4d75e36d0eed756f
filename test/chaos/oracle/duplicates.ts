import type { Disturbance, Evidence, VendorRequest, Violation } from './model.js'

/** How long after its answer a request's elements may still be unsettled, ms. */
const SETTLING_MS = 2_000
/** How long after a fault its consequences go on: a lease runs out, another worker takes over. */
const AFTERMATH_MS = 3_000

export interface Duplicates {
  /** Elements that arrived again, by what explains it. */
  readonly perCause: ReadonlyMap<string, number>
  readonly violations: readonly Violation[]
}

/** Explains every repeated delivery by the fate of the one before it. */
export function explainDuplicates({ arrived, requests, disturbances }: Evidence): Duplicates {
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
    const cause = causeOf(byId.get(before), suspects)
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
): string | null {
  if (request === undefined) return null
  if (request.fault !== null) return request.fault
  const { startedAtMs, arrivedAtMs, endedAtMs } = request
  const untilMs = (endedAtMs ?? arrivedAtMs ?? startedAtMs) + SETTLING_MS
  const near = suspects.filter(
    ({ fromMs, toMs }) => fromMs <= untilMs && toMs + AFTERMATH_MS >= startedAtMs,
  )
  const latest = near.sort((a, b) => b.fromMs - a.fromMs)[0]
  return latest?.name ?? null
}
