import type { Arrived, Evidence, Posted, ViewSample, VendorRequest, Violation } from './model.js'

/** A view may be as old as this when it is served, ms. */
const STALE_MS = 1_000
/** An answer of MoEngage is settled in Redis within this, ms, when nothing is wrong. */
const SETTLED_MS = 2_000

/**
 * The backlog that each view shows is that of the elements accepted and not yet delivered. From
 * below without exception: an element that has not arrived was in the backlog when it was read.
 * From above only where no fault was near, and an element that arrives again waited until then.
 */
export function judgeViews(evidence: Evidence): Violation[] {
  const { samples, posted, disturbances, settleWithinMs } = evidence
  const { first, last } = arrivals(evidence)
  const wrong = samples.flatMap((sample) => {
    const { fromMs, toMs, backlog, where } = sample
    const least = posted.filter((p) => certainlyWaits(p, first, sample, evidence)).length
    if (backlog < least) return [{ where, fromMs, detail: `${backlog}, ${least} wait` }] // prettier-ignore
    const sinceMs = fromMs - settleWithinMs
    if (disturbances.some((d) => d.fromMs <= toMs && d.toMs >= sinceMs)) return []
    const most = posted.filter((p) => mayWait(p, last, sample, evidence)).length
    if (backlog <= most) return []
    return [{ where, fromMs, detail: `${backlog}, at most ${most} wait` }]
  })
  return wrong.map(({ where, fromMs, detail }) => ({
    law: 'the views show the backlog',
    detail: `${where} at ${fromMs.toFixed(0)}: ${detail}`,
  }))
}

const name = ({ customer, seq }: Posted | Arrived) => `${customer} ${seq}`

type Times = ReadonlyMap<string, number>

/** When each element arrived first, and last: one that arrives again waited until then. */
function arrivals({ arrived, requests }: Evidence): { first: Times; last: Times } {
  const byId = new Map<string, VendorRequest>(requests.map((r) => [r.requestId, r]))
  const first = new Map<string, number>()
  const last = new Map<string, number>()
  for (const element of arrived) {
    const key = name(element)
    const atMs = byId.get(element.requestId)?.arrivedAtMs ?? -Infinity
    first.set(key, Math.min(atMs, first.get(key) ?? Infinity))
    last.set(key, Math.max(atMs, last.get(key) ?? -Infinity))
  }
  return { first, last }
}

function certainlyWaits(
  element: Posted,
  first: Times,
  { fromMs, toMs, ageMs = 0 }: ViewSample,
  { erasures, forgets }: Evidence,
): boolean {
  const { acknowledgedAtMs, poison, customer } = element
  // A view that cannot read Redis shows its last number, and says how long ago that read began.
  if (poison || acknowledgedAtMs > fromMs - ageMs - STALE_MS) return false
  if (forgets.some((f) => acknowledgedAtMs >= f.fromMs && f.toMs <= toMs)) return false
  if (erasures.some((e) => e.customer === customer && e.askedAtMs <= toMs)) return false
  return (first.get(name(element)) ?? Infinity) > toMs
}

function mayWait(
  element: Posted,
  last: Times,
  { fromMs, toMs }: ViewSample,
  { forgets }: Evidence,
): boolean {
  if (element.postedAtMs > toMs) return false
  const atMs = last.get(name(element)) ?? Infinity
  // Redis came back from before it was settled.
  if (forgets.some((f) => atMs >= f.fromMs - SETTLED_MS && atMs <= f.toMs)) return true
  return atMs > fromMs - STALE_MS - SETTLED_MS
}
