/** The only sources of time. All other code takes a `Clock`, so that tests control the time. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. For stamps and logs; may step. */
  nowMs(): number
  /** Monotonic milliseconds from an arbitrary start. For deadlines and durations; never steps. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
