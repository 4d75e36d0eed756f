import { REFUSAL_REASONS, type TransientReason } from './reasons.js'

/**
 * MoEngage refuses without naming an element (a new rule, a firewall): every element; or all that wait, though
 * it accepted others since it first refused them.
 */
const UNEXPLAINED_HOLDS = ['everything_refused', 'some_refused'] as const
export type UnexplainedHold = (typeof UNEXPLAINED_HOLDS)[number]

/** Why a workspace is held: MoEngage refused it or its elements, or could not be reached after all retries. */
export const HOLD_REASONS = [...REFUSAL_REASONS, ...UNEXPLAINED_HOLDS, 'unavailable'] as const
export type HoldReason = (typeof HOLD_REASONS)[number]

/** The one attempt that may run while the gate is not open. */
export interface Probe {
  readonly id: string
  /** Wall clock after which its worker is taken for dead and another may probe. */
  readonly expiresAtMs: number
  /** The configuration changed after it had started: should it fail, the next one goes at once. */
  readonly outdated: boolean
}

export interface OpenMode {
  readonly state: 'open'
}

interface Closed {
  readonly nextProbeAtMs: number
  readonly probe: Probe | null
  /** Longest pause requested by a Retry-After meanwhile, ms; absent if none was. */
  readonly askedMs?: number
}

/** MoEngage failed; one leader retries every 2 s, up to 5 times. */
export interface RetryingMode extends Closed {
  readonly state: 'retrying'
  readonly reason: TransientReason
  readonly sinceMs: number
  /** The next retry or the one in flight: 1 to 5. */
  readonly attempt: number
}

/** Sending stops until a probe succeeds. */
export interface HeldMode extends Closed {
  readonly state: 'held'
  readonly reason: HoldReason
  /** Of `unavailable`: why the last probe failed. Absent in records of 0.1.0. */
  readonly cause?: TransientReason
  readonly sinceMs: number
  readonly probeIntervalMs: number
}

/** MoEngage answered 429; after `nextProbeAtMs` one probe is sent, then all requests. */
export interface RateLimitedMode extends Closed {
  readonly state: 'rate_limited'
  readonly sinceMs: number
  /** The pause to double should the next request be refused without a Retry-After. */
  readonly backoffMs: number
}

export type ClosedMode = RetryingMode | HeldMode | RateLimitedMode
export type Mode = OpenMode | ClosedMode

/** Whether a workspace may send; shared by all workers as JSON. Times are of one wall clock. */
export interface Gate {
  readonly version: 1
  readonly mode: Mode
  /** An operator stopped sending. Independent of `mode`. */
  readonly paused: boolean
}

export const OPEN_GATE: Gate = { version: 1, mode: { state: 'open' }, paused: false }

/** The reason of a hold that only an accepted element ends; null: not held, or for another reason. */
export function unexplainedHold({ mode }: Gate): UnexplainedHold | null {
  if (mode.state !== 'held') return null
  return UNEXPLAINED_HOLDS.find((reason) => reason === mode.reason) ?? null
}

/** Whether the workspace sends now. */
export function sends({ mode, paused }: Gate): boolean {
  return !paused && mode.state !== 'held'
}

/**
 * How long until the workspace sends, ms; null: that is unknown. It is known while MoEngage has named the
 * time itself (429), and not while it answers nothing.
 */
export function sendsInMs(gate: Gate, nowMs: number): number | null {
  if (!sends(gate) || gate.mode.state === 'retrying') return null
  return gate.mode.state === 'open' ? 0 : Math.max(0, gate.mode.nextProbeAtMs - nowMs)
}

/**
 * Reads a stored gate; an absent or unreadable one is open. The first failure then closes it again,
 * whereas an unreadable closed gate would block a workspace permanently.
 */
export function readGate(json: string | null): Gate {
  if (json === null) return OPEN_GATE
  try {
    const gate = JSON.parse(json) as Partial<Gate> | null
    const known = gate?.version === 1 && typeof gate.mode?.state === 'string'
    return known ? { version: 1, mode: gate.mode, paused: gate.paused === true } : OPEN_GATE
  } catch {
    return OPEN_GATE
  }
}
