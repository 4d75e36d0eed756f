import type { Span } from '../json/scan.js'
import { isObject } from '../validate/subject.js'

/** The last stamp made: posts of one millisecond share it. */
let last: { acceptedAtMs: number; stamp: Buffer } = { acceptedAtMs: NaN, stamp: Buffer.alloc(0) }

/** The member that gives an action its time, ready to be inserted before the closing brace. */
export function stampOf(acceptedAtMs: number): Buffer {
  if (last.acceptedAtMs !== acceptedAtMs) last = { acceptedAtMs, stamp: stampText(acceptedAtMs) }
  return last.stamp
}

function stampText(acceptedAtMs: number): Buffer {
  return Buffer.from(`,"current_time":"${new Date(acceptedAtMs).toISOString()}"`)
}

/**
 * An event's text in which every action has a time: one with neither `current_time` nor `user_time`
 * gets `stamp` as its last member. MoEngage would stamp it on receipt, and queueing would move the
 * event in time (openapi, EventAction).
 *
 * `text` is the element as compact JSON, `spans` are its actions in it, `actions` the same parsed.
 */
export function stampActions(
  text: Buffer,
  spans: readonly Span[],
  actions: readonly unknown[],
  stamp: Buffer,
): Buffer {
  const ends = spans.filter((_, i) => needsStamp(actions[i])).map(({ end }) => end - 1)
  const out = Buffer.allocUnsafe(text.length + ends.length * stamp.length)
  let from = 0
  let to = 0
  for (const end of ends) {
    to += text.copy(out, to, from, end)
    to += stamp.copy(out, to)
    from = end
  }
  text.copy(out, to, from)
  return out
}

/** Whether an action has no time. */
export function needsStamp(action: unknown): boolean {
  return isObject(action) && isAbsent(action.current_time) && isAbsent(action.user_time)
}

function isAbsent(time: unknown): boolean {
  return time === undefined || time === null
}
