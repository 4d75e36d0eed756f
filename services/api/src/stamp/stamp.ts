import { isObject } from '../validate/subject.js'
import type { Span } from '../json/scan.js'

/**
 * Texts of an event's actions, each holding a time: an action with neither `current_time` nor
 * `user_time` gets `current_time`, the moment of acceptance, as its last member. MoEngage would
 * stamp it on receipt, and queueing would move the event in time (openapi, EventAction).
 *
 * `text` is the element as compact JSON, `spans` are its actions in it, `actions` the same parsed.
 */
export function stampedActions(
  text: Buffer,
  spans: readonly Span[],
  actions: readonly unknown[],
  acceptedAtMs: number,
): Buffer[] {
  const stamp = Buffer.from(`,"current_time":"${new Date(acceptedAtMs).toISOString()}"}`)
  return spans.map(({ start, end }, i) =>
    needsStamp(actions[i])
      ? Buffer.concat([text.subarray(start, end - 1), stamp])
      : text.subarray(start, end),
  )
}

/** Says whether an action carries no time of its own. */
export function needsStamp(action: unknown): boolean {
  return isObject(action) && action.current_time === undefined && action.user_time === undefined
}
