import type { Arrived, Disturbance, Evidence, Limits, VendorRequest, Violation } from './model.js'

/** Windows, sizes and overlaps of the requests as they arrived. */
export function judgeRequests(evidence: Evidence): Violation[] {
  const { requests, limits } = evidence
  return [...windows(requests, limits), ...sizes(requests, limits), ...overlaps(evidence)]
}

/** Every sliding window of arrivals, for any answers; each ends at an arrival. */
function windows(requests: readonly VendorRequest[], limits: Limits): Violation[] {
  const charges = {
    users: ({ users, devices }: VendorRequest['cost']) => users + devices,
    events: ({ events }: VendorRequest['cost']) => events,
  }
  const arrivals = requests
    .flatMap(({ arrivedAtMs, cost }) => (arrivedAtMs === null ? [] : [{ arrivedAtMs, cost }]))
    .sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)
  return (['users', 'events'] as const).flatMap((budget) => {
    const { peak, atMs } = peakOf(
      arrivals.map((a) => ({ atMs: a.arrivedAtMs, units: charges[budget](a.cost) })),
      limits.windowMs,
    )
    if (peak <= limits[budget]) return []
    const detail = `${budget}: ${peak} of ${limits[budget]} in the window before ${atMs.toFixed(0)}`
    return [{ law: 'both windows hold' as const, detail }]
  })
}

/** The fullest window of a sorted list. */
function peakOf(
  arrivals: readonly { readonly atMs: number; readonly units: number }[],
  windowMs: number,
): { peak: number; atMs: number } {
  let used = 0
  let first = 0
  let fullest = { peak: 0, atMs: 0 }
  for (const { atMs, units } of arrivals) {
    used += units
    for (
      let oldest = arrivals[first];
      oldest && oldest.atMs <= atMs - windowMs;
      oldest = arrivals[first]
    ) {
      used -= oldest.units
      first += 1
    }
    if (used > fullest.peak) fullest = { peak: used, atMs }
  }
  return fullest
}

function sizes(requests: readonly VendorRequest[], { bodyBytes }: Limits): Violation[] {
  return requests
    .filter(({ bytes }) => bytes > bodyBytes)
    .map(({ requestId, bytes }) => ({
      law: 'bodies are within the limit',
      detail: `request ${requestId} has ${bytes} bytes of ${bodyBytes}`,
    }))
}

/**
 * Two requests of one customer that were open at once. While relay is frozen or cut off from
 * MoEngage in silence, a connection stays open that no one waits for: then a request counts until
 * its arrival only, since nothing happens after that. A request that MoEngage processes after its
 * connection was closed counts until then against newer elements: relay may send the same again.
 */
function overlaps({ requests, disturbances, arrived }: Evidence): Violation[] {
  const lingering = disturbances.filter(({ mayLinger }) => mayLinger)
  const newest = newestOf(arrived)
  const violations: Violation[] = []
  const open = new Map<string, VendorRequest[]>()
  for (const request of [...requests].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    for (const customer of request.customers) {
      const seqOf = ({ requestId }: VendorRequest) => newest.get(`${requestId} ${customer}`) ?? 0
      const others = (open.get(customer) ?? []).filter(
        (one) => Math.max(closedMs(one, lingering), processedMs(one)) > request.startedAtMs,
      )
      const wrong = others.find(
        (one) => closedMs(one, lingering) > request.startedAtMs || seqOf(request) > seqOf(one),
      )
      open.set(customer, [...others, request])
      if (wrong === undefined) continue
      const detail = `${customer}: requests ${wrong.requestId} and ${request.requestId}`
      violations.push({ law: 'one request at a time per customer', detail })
    }
  }
  return violations
}

const processedMs = ({ arrivedAtMs, startedAtMs }: VendorRequest) => arrivedAtMs ?? startedAtMs

/** When relay's side of a request was over. Where a connection may linger: at its arrival at the latest. */
function closedMs(request: VendorRequest, lingering: readonly Disturbance[]): number {
  const endMs = request.endedAtMs ?? Infinity
  const mayLinger = lingering.some((d) => d.fromMs <= endMs && d.toMs >= request.startedAtMs)
  return mayLinger ? Math.min(endMs, processedMs(request)) : endMs
}

/** The newest element of each customer in each request, by `request customer`. */
function newestOf(arrived: readonly Arrived[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const { requestId, customer, seq } of arrived) {
    const key = `${requestId} ${customer}`
    newest.set(key, Math.max(newest.get(key) ?? 0, seq))
  }
  return newest
}
