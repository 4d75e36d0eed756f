import { goneRightly } from './deliveries.js'
import type { Disturbance, Evidence, Resumes, Violation } from './model.js'

/** From the end of the last fault until MoEngage takes something again, ms. */
const SOON_MS = 2_000
/** On top of a lease. */
const TAKEN_OVER_MS = 1_000
/** Latency of MoEngage and of the harness itself, ms. */
const SLACK_MS = 1_000
/** A hold is probed at least this often, ms: until then a fault of MoEngage may still slow sending. */
const PROBED_WITHIN_MS = 60_000
/** With more of a window spent than this, what is posted may have to wait for the budget. */
const AMPLE = 0.8

/** Sending resumes in time after the last fault, if something waits and the budgets allow it. */
export function judgeLiveness(evidence: Evidence): Violation[] {
  const { healedAtMs, requests, posted, leaseMs } = evidence
  if (healedAtMs === null || !isAmple(evidence, healedAtMs)) return []
  const resumes = slowest(evidence, healedAtMs)
  const longestMs = { soon: SOON_MS, lease: leaseMs + TAKEN_OVER_MS, later: Infinity }[resumes]
  const arrivals = requests.flatMap(({ fate, arrivedAtMs, requestId }) =>
    fate === 'accepted' && arrivedAtMs !== null ? [{ arrivedAtMs, requestId }] : [],
  )
  const before = new Set(arrivals.filter((a) => a.arrivedAtMs < healedAtMs).map((a) => a.requestId))
  const arrived = new Set(
    evidence.arrived.filter((a) => before.has(a.requestId)).map((a) => `${a.customer} ${a.seq}`),
  )
  const erased = new Set(evidence.erasures.map(({ customer }) => customer))
  const mayBeGone = goneRightly(evidence)
  const buried = new Set(evidence.deadLetters.map(({ customer, seq }) => `${customer} ${seq}`))
  const waits = posted.some((p) => {
    const name = `${p.customer} ${p.seq}`
    if (p.poison || erased.has(p.customer) || buried.has(name) || mayBeGone(p)) return false
    return p.acknowledgedAtMs <= healedAtMs && !arrived.has(name)
  })
  if (!waits) return []
  const next = Math.min(...arrivals.map((a) => a.arrivedAtMs).filter((atMs) => atMs >= healedAtMs))
  const tookMs = next - healedAtMs
  if (tookMs <= longestMs + SLACK_MS) return []
  const detail = `${tookMs.toFixed(0)} ms after the last fault, ${longestMs} ms are allowed`
  return [{ law: 'sending resumes in time', detail }]
}

const ORDER: readonly Resumes[] = ['soon', 'lease', 'later']

function slowest({ disturbances, requests }: Evidence, healedAtMs: number): Resumes {
  // Accepted after a fault: no hold, no recovery of budgets and no lease is left of it.
  const isOver = ({ toMs }: Disturbance) =>
    requests.some(
      ({ fate, startedAtMs, arrivedAtMs }) =>
        fate === 'accepted' && startedAtMs > toMs && (arrivedAtMs ?? Infinity) < healedAtMs,
    )
  const near = disturbances.filter((d) => d.toMs >= healedAtMs - PROBED_WITHIN_MS && !isOver(d))
  const all = near.map(({ resumes }) => resumes ?? 'later')
  // A worker that died while Redis forgot what it knew: the ledger waits for what it may have sent.
  const isBoth = all.includes('lease') && near.some(({ name }) => name.startsWith('redis-'))
  if (isBoth) return 'later'
  return ORDER[Math.max(0, ...all.map((one) => ORDER.indexOf(one)))] ?? 'later'
}

function isAmple({ requests, limits }: Evidence, atMs: number): boolean {
  const sinceMs = atMs - limits.windowMs
  const inWindow = requests.filter(
    ({ startedAtMs }) => startedAtMs >= sinceMs && startedAtMs <= atMs,
  )
  const users = inWindow.reduce((n, { cost }) => n + cost.users + cost.devices, 0)
  const events = inWindow.reduce((n, { cost }) => n + cost.events, 0)
  return users < limits.users * AMPLE && events < limits.events * AMPLE
}
