import type { Disturbance, Evidence, Limits, VendorRequest, Violation } from './model.js'

/** Windows, sizes and overlaps of the requests as they arrived. */
export function judgeRequests({ requests, disturbances, limits }: Evidence): Violation[] {
  return [
    ...windows(requests, limits),
    ...sizes(requests, limits),
    ...overlaps(requests, disturbances),
  ]
}

/** Every sliding window of arrivals, whatever they were answered: each ends at an arrival. */
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
    const detail = `${budget}: ${String(peak)} of ${String(limits[budget])} in the window before ${atMs.toFixed(0)}`
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
      detail: `request ${requestId} has ${String(bytes)} bytes of ${String(bodyBytes)}`,
    }))
}

/**
 * Two requests of one customer that were open at once. While relay is frozen or cut off from
 * MoEngage in silence, a connection stays open that nobody waits for: then a request counts until
 * its arrival only, since nothing happens after that.
 */
function overlaps(
  requests: readonly VendorRequest[],
  disturbances: readonly Disturbance[],
): Violation[] {
  const lingering = disturbances.filter(({ mayLinger }) => mayLinger)
  const endOf = (request: VendorRequest): number => {
    const endMs = request.endedAtMs ?? Infinity
    const mayLinger = lingering.some((d) => d.fromMs <= endMs && d.toMs >= request.startedAtMs)
    return mayLinger ? (request.arrivedAtMs ?? request.startedAtMs) : endMs
  }
  const violations: Violation[] = []
  const open = new Map<string, { endMs: number; requestId: string }>()
  for (const request of [...requests].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    const endMs = endOf(request)
    for (const customer of request.customers) {
      const other = open.get(customer)
      if (other !== undefined && other.endMs > request.startedAtMs) {
        const detail = `${customer}: requests ${other.requestId} and ${request.requestId}`
        violations.push({ law: 'one request at a time per customer', detail })
      }
      if (other === undefined || other.endMs < endMs) {
        open.set(customer, { endMs, requestId: request.requestId })
      }
    }
  }
  return violations
}
