import type { Arrived, Evidence, Posted, Violation } from './model.js'

interface History {
  /** In the order of posting: `posted[i].seq` is `i + 1`. */
  readonly posted: Posted[]
  /** In the order of arrival. */
  readonly arrived: Arrived[]
  /** It ends before relay was done. */
  readonly isCut?: boolean
}

/** Loss, order, redelivery, final values and inventions, customer by customer. */
export function judgeDeliveries(evidence: Evidence): Violation[] {
  const { posted, arrived } = evidence
  const mayBeGone = goneRightly(evidence)
  const histories = new Map<string, History>()
  const of = (customer: string): History => {
    const known = histories.get(customer)
    if (known) return known
    const history: History = { posted: [], arrived: [] }
    histories.set(customer, history)
    return history
  }
  for (const element of posted) of(element.customer).posted.push(element)
  for (const element of arrived) of(element.customer).arrived.push(element)
  return [...histories].flatMap(([customer, history]) => [
    ...inventions(customer, history),
    ...losses(customer, history, mayBeGone),
    ...(evidence.erasures.some((e) => e.customer === customer)
      ? []
      : epochsOf(history, evidence).flatMap((epoch) => sequence(customer, epoch))),
    ...finalValue(customer, history, mayBeGone),
  ])
}

function inventions(customer: string, { posted, arrived }: History): Violation[] {
  return arrived
    .filter(({ seq, kind }) => posted[seq - 1]?.kind !== kind)
    .map(({ seq, kind, requestId }) => ({
      law: 'nothing is delivered that was never posted',
      detail: `${customer}: ${kind} ${seq} in request ${requestId}`,
    }))
}

type MayBeGone = (element: Posted) => boolean

/** Accepted data may be gone where an operator had it erased or where Redis itself lost it. */
export function goneRightly({
  erasures,
  forgets,
}: Pick<Evidence, 'erasures' | 'forgets'>): MayBeGone {
  return ({ customer, postedAtMs, acknowledgedAtMs }) =>
    erasures.some((e) => e.customer === customer && postedAtMs <= e.doneAtMs) ||
    forgets.some(({ fromMs, toMs }) => acknowledgedAtMs >= fromMs && postedAtMs <= toMs)
}

function losses(customer: string, { posted, arrived }: History, mayBeGone: MayBeGone): Violation[] {
  const seen = new Set(arrived.map(({ seq }) => seq))
  const missing = posted.filter(
    (p) => p.acknowledged && !p.poison && !seen.has(p.seq) && !mayBeGone(p),
  )
  if (missing.length === 0) return []
  const seqs = missing.map(({ seq }) => seq).join(' ')
  const detail = `${customer}: ${seqs} of ${posted.length}`
  return [{ law: 'nothing acknowledged is missing', detail }]
}

/** A Redis that came back as it was before begins again there: each epoch is in order by itself. */
function epochsOf({ posted, arrived }: History, { requests, forgets }: Evidence): History[] {
  if (forgets.length === 0) return [{ posted, arrived }]
  const startedAt = new Map(requests.map((r) => [r.requestId, r.startedAtMs]))
  const epochOf = ({ requestId }: Arrived) =>
    forgets.filter(({ toMs }) => (startedAt.get(requestId) ?? 0) >= toMs).length
  return forgets.concat({ fromMs: 0, toMs: 0 }).map((_, epoch) => {
    const own = arrived.filter((a) => epochOf(a) === epoch)
    const first = Math.min(...own.map(({ seq }) => seq))
    const isCut = epoch < forgets.length
    return { posted: posted.filter(({ seq }) => seq >= first), arrived: own, isCut }
  })
}

/**
 * Each arrival is the successor of the one before, or a step back to something that had arrived:
 * so first deliveries are in order, and what is sent again is a contiguous run. The last arrival
 * is the newest element.
 */
function sequence(customer: string, { posted, arrived, isCut }: History): Violation[] {
  const seen = new Set(arrived.map(({ seq }) => seq))
  const successor = new Map<number, number>()
  let before = 0
  for (const { seq } of posted.filter((p) => seen.has(p.seq))) {
    successor.set(before, seq)
    before = seq
  }
  const violations: Violation[] = []
  const note = (law: Violation['law'], seq: number, last: number) => {
    violations.push({ law, detail: `${customer}: ${seq} came after ${last}` })
  }
  let newest = 0
  let last = 0
  for (const { seq } of arrived) {
    const expected = successor.get(last) ?? Infinity
    if (seq > newest) {
      if (seq !== successor.get(newest)) note('first deliveries are in order', seq, newest)
      else if (last !== newest) note('redelivery is a contiguous run', seq, last)
      newest = seq
    } else if (seq > expected) note('redelivery is a contiguous run', seq, last)
    last = seq
  }
  if (last !== newest && isCut !== true) note('redelivery is a contiguous run', last, newest)
  return violations
}

function finalValue(
  customer: string,
  { posted, arrived }: History,
  mayBeGone: MayBeGone,
): Violation[] {
  const accepted = posted.findLast(
    (p) => p.kind === 'user' && p.acknowledged && !p.poison && !mayBeGone(p),
  )
  const value = arrived.findLast((a) => a.kind === 'user')?.last ?? 0
  if (accepted === undefined || value >= accepted.seq) return []
  const detail = `${customer}: ends with ${value}, accepted was ${accepted.seq}`
  return [{ law: 'the last value wins', detail }]
}
