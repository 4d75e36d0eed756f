import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { Element } from '@relay/shared/element.js'
import { BULK_ENVELOPE_BYTES } from '@relay/shared/vendor/limits.js'
import type { CustomerKeys } from './identity.js'
import { compact, normalised, type OnRepeated } from '../json/compact.js'
import { scanJson, type Span } from '../json/scan.js'
import type { CheckedElement } from '../validate/element.js'
import { isObject } from '../validate/findings.js'
import { NESTING_LEVELS } from '../validate/limits.js'
import { countsAsAbsent } from '../validate/members.js'
import { KIND_OF_TYPE } from '../validate/names.js'
import type { Vocabulary } from '../validate/vocabulary.js'

export interface BuildContext {
  readonly limits: WorkspaceLimits
  /** The time of acceptance. */
  readonly nowMs: number
  readonly customers: CustomerKeys
  readonly names: Vocabulary
}

/** One reservation takes at most this share of a window of events, so that it can be granted. */
const WINDOW_PARTS = 100

/**
 * What is queued for a valid element at `span` of `body`: its own bytes with a time, split if one request or
 * budget grant cannot carry it. Null if it does not fit a bulk body.
 */
export function buildElements(
  valid: CheckedElement,
  span: Span,
  body: Buffer,
  { limits, customers, names, nowMs }: BuildContext,
  onRepeated?: OnRepeated,
): Element[] | null {
  const text = ownText(body, span, valid.isIrregular, onRepeated)
  const customer = customers.keyOf(valid.type, valid.element, names)
  const kind = KIND_OF_TYPE[valid.type]
  const maxBytes = limits.maxBodyBytes - BULK_ENVELOPE_BYTES
  if (kind === 'event') {
    const maxActions = Math.max(1, Math.floor(limits.eventsPerWindow / WINDOW_PARTS))
    const actions = valid.element.actions as readonly unknown[]
    if (actions.length <= maxActions && text.length <= maxBytes && !actions.some(needsStamp)) {
      return [{ kind, json: text, cost: actions.length, customer, posted: 1 }]
    }
    const parts = buildEvent(text, actions, nowMs, { maxActions, maxBytes })
    if (parts === null) return null
    const last = parts.length - 1
    return parts.map(({ json, actions: cost }, i) => {
      return { kind, json, cost, customer, posted: i === last ? 1 : 0 }
    })
  }
  return text.length > maxBytes ? null : [{ kind, json: text, cost: 1, customer, posted: 1 }]
}

function buildEvent(
  text: Buffer,
  actions: readonly unknown[],
  nowMs: number,
  limits: PartLimits,
): readonly EventPart[] | null {
  const timed = actions.some(needsStamp)
    ? stampActions(text, actionSpans(text), actions, stampOf(nowMs))
    : text
  if (actions.length <= limits.maxActions && timed.length <= limits.maxBytes) {
    return [{ json: timed, actions: actions.length }]
  }
  const spans = actionSpans(timed)
  const parts = {
    head: timed.subarray(0, spans[0]?.start),
    actions: spans.map(({ start, end }) => timed.subarray(start, end)),
    tail: timed.subarray(spans.at(-1)?.end),
  }
  return growsTooMuch(parts, limits) ? null : splitEvent(parts, limits)
}

/** The parts of an event may take this many times its bytes: each repeats the fields around the actions. */
const MAX_GROWTH = 8

/** Checked before splitting: 100 KB around 75,000 actions would become 37 MB. */
function growsTooMuch({ head, actions, tail }: EventText, limits: PartLimits): boolean {
  const around = head.length + tail.length
  const within = actions.reduce((sum, { length }) => sum + length + 1, 0)
  const room = limits.maxBytes - around
  if (room <= 0) return true
  const parts = Math.max(actions.length / limits.maxActions, within / room)
  return around * parts > MAX_GROWTH * (around + within)
}

function actionSpans(text: Buffer): readonly Span[] {
  return scanJson(text, 'actions', NESTING_LEVELS).items ?? []
}

function ownText(
  body: Buffer,
  span: Span,
  isIrregular: boolean,
  onRepeated: OnRepeated | undefined,
): Buffer {
  const raw = body.subarray(span.start, span.end)
  const text = span.whitespace > 0 ? compact(raw, span.whitespace) : raw
  return isIrregular ? normalised(text, countsAsAbsent, onRepeated) : text
}

/** The last stamp made: posts of one millisecond share it. */
let last: { acceptedAtMs: number; stamp: Buffer } = { acceptedAtMs: NaN, stamp: Buffer.alloc(0) }

/** The member that gives an action its time, ready to be inserted before the closing brace. */
function stampOf(acceptedAtMs: number): Buffer {
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
function stampActions(
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
function needsStamp(action: unknown): boolean {
  return isObject(action) && isAbsent(action.current_time) && isAbsent(action.user_time)
}

function isAbsent(time: unknown): boolean {
  return time === undefined || time === null
}

interface EventText {
  /** The element's text up to and including the `[` of its actions. */
  readonly head: Buffer
  readonly actions: readonly Buffer[]
  /** From the `]` of its actions to the end. */
  readonly tail: Buffer
}

interface PartLimits {
  readonly maxActions: number
  readonly maxBytes: number
}

interface EventPart {
  readonly json: Buffer
  readonly actions: number
}

/**
 * Splits an event into parts that fit one request and one budget grant: in order, each an event element with the same identity fields and the next actions, as
 * many as fit; null if a single action does not fit.
 */
export function splitEvent(event: EventText, limits: PartLimits): EventPart[] | null {
  const { head, actions, tail } = event
  const room = limits.maxBytes - head.length - tail.length
  const parts: EventPart[] = []
  let from = 0
  let bytes = 0
  for (const [i, action] of actions.entries()) {
    if (action.length > room) return null
    const grown = bytes + action.length + (i > from ? 1 : 0)
    if (i > from && (grown > room || i - from >= limits.maxActions)) {
      parts.push(part(event, from, i))
      from = i
      bytes = action.length
    } else bytes = grown
  }
  parts.push(part(event, from, actions.length))
  return parts
}

const COMMA = Buffer.from(',')

function part({ head, actions, tail }: EventText, from: number, to: number): EventPart {
  const parts: Buffer[] = [head]
  for (let i = from; i < to; i++) {
    const action = actions[i]
    if (action === undefined) continue
    if (i > from) parts.push(COMMA)
    parts.push(action)
  }
  parts.push(tail)
  return { json: Buffer.concat(parts), actions: to - from }
}
