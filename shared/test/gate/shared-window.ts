import {
  type Adaptation,
  effectiveShare,
  requestCostCap,
  requestsAtOnceCap,
  shrink,
} from '../../src/gate/adaptation.js'
import { advance, type GateEvent, isProbe, mayStart } from '../../src/gate/gate.js'
import { type Gate, OPEN_GATE } from '../../src/gate/gate-state.js'

export interface Scenario {
  readonly limit: number
  readonly windowMs: number
  /** Units that fill one body. */
  readonly bodyUnits: number
  /** The other sender takes this share of the limit in every window. */
  readonly otherShare: number
  readonly otherFromMs: number
  readonly otherUntilMs: number
  readonly untilMs: number
  /** Requests in progress at once, over all workers. */
  readonly parallel: number
  /** Times after which MoEngage refuses the next request, for any use of the window, ms. */
  readonly falseAlarmsMs?: readonly number[]
}

export interface Sent {
  readonly atMs: number
  readonly units: number
  readonly refused: boolean
  readonly share: number
}

const TICK_MS = 50
const FLIGHT_MS = 150
const PROBE_MS = 10_000

/** A sliding window that forgets. */
class Window {
  readonly #entries: { atMs: number; units: number }[] = []
  readonly #lengthMs: number
  #sum = 0

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs
  }

  add(atMs: number, units: number): void {
    this.#entries.push({ atMs, units })
    this.#sum += units
  }

  used(nowMs: number): number {
    let first = this.#entries[0]
    while (first !== undefined && first.atMs <= nowMs - this.#lengthMs) {
      this.#sum -= first.units
      this.#entries.shift()
      first = this.#entries[0]
    }
    return this.#sum
  }
}

interface Flight {
  readonly sentAtMs: number
  readonly units: number
  readonly share: number
  readonly probeId: string | null
  arrived: boolean
  refused: boolean
}

/**
 * MoEngage with one exact sliding window, another sender on the same account, and relay with an
 * endless backlog: its own window, the gate and the adaptation, wired as in the worker.
 */
export function simulate(scenario: Scenario): Sent[] {
  const { limit, windowMs, bodyUnits } = scenario
  const vendor = new Window(windowMs)
  const reserved = new Window(windowMs)
  const accepted = new Window(windowMs)
  const sent: Sent[] = []
  let flights: Flight[] = []
  let gate: Gate = OPEN_GATE
  let adaptation: Adaptation | null = null
  let owed = 0
  const isAlarm = onceEach(scenario.falseAlarmsMs ?? [])
  let probes = 0

  const answer = (flight: Flight, nowMs: number): void => {
    const { sentAtMs, units, share, probeId } = flight
    sent.push({ atMs: sentAtMs, units, refused: flight.refused, share })
    const event: GateEvent = flight.refused
      ? { type: 'rate_limited', retryAfterMs: null, probeId }
      : { type: 'succeeded', probeId }
    gate = advance(gate, event, nowMs, 0.5)
    if (flight.refused) {
      const usedShare = accepted.used(nowMs) / limit
      adaptation = shrink(adaptation, { sentAtMs, nowMs, usedShare, windowMs })
    }
  }

  const start = (nowMs: number): boolean => {
    const may = mayStart(gate, nowMs)
    const share = effectiveShare(adaptation, { nowMs, windowMs })
    const parallel = Math.min(scenario.parallel, requestsAtOnceCap(share))
    if (!may.go || flights.length >= parallel) return false
    const body = Math.min(bodyUnits, requestCostCap(limit, { share, windowMs }))
    const units = Math.min(body, Math.floor(limit * share - reserved.used(nowMs)))
    if (units < body / 2) return false
    const probeId = may.probe ? String((probes += 1)) : null
    if (probeId !== null) {
      gate = advance(gate, { type: 'probe_started', probeId, ttlMs: PROBE_MS }, nowMs, 0)
      if (!isProbe(gate, probeId)) return false
    }
    reserved.add(nowMs, units)
    flights.push({ sentAtMs: nowMs, units, share, probeId, arrived: false, refused: false })
    return true
  }

  for (let nowMs = 0; nowMs <= scenario.untilMs; nowMs += TICK_MS) {
    if (nowMs >= scenario.otherFromMs && nowMs < scenario.otherUntilMs) {
      owed += (limit * scenario.otherShare * TICK_MS) / windowMs
      vendor.add(nowMs, Math.floor(owed))
      owed -= Math.floor(owed)
    }
    for (const flight of flights) {
      if (flight.arrived || nowMs < flight.sentAtMs + FLIGHT_MS) continue
      flight.arrived = true
      flight.refused = isAlarm(nowMs) || vendor.used(nowMs) + flight.units > limit
      if (!flight.refused) {
        vendor.add(nowMs, flight.units)
        accepted.add(nowMs, flight.units)
      }
    }
    const back = flights.filter((flight) => nowMs >= flight.sentAtMs + 2 * FLIGHT_MS)
    flights = flights.filter((flight) => !back.includes(flight))
    for (const flight of back) answer(flight, nowMs)
    while (start(nowMs));
  }
  return sent
}

/** Says once of each moment that it has come. */
function onceEach(momentsMs: readonly number[]): (nowMs: number) => boolean {
  const left = [...momentsMs]
  return (nowMs) => {
    const [first = Infinity] = left
    if (nowMs < first) return false
    left.shift()
    return true
  }
}
