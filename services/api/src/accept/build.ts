import type { Element } from '@relay/shared/element.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { BULK_ENVELOPE_BYTES } from '@relay/shared/vendor/bulk-body.js'
import type { CustomerKeys } from '../identity/identity.js'
import { compact, withoutDuplicateKeys } from '../json/compact.js'
import { scanJson, type Span } from '../json/scan.js'
import { needsStamp, stampedActions } from '../stamp/stamp.js'
import type { CheckedElement } from '../validate/element.js'
import { NESTING_LEVELS } from '../validate/limits.js'
import { KIND_OF_TYPE } from '../validate/names.js'
import { splitEvent } from './split.js'

/** A valid element together with its place in the body that carried it. */
export interface ValidElement extends CheckedElement {
  /** Position in the request, 0-based. */
  readonly index: number
  readonly span: Span
}

export interface BuildContext {
  readonly body: Buffer
  readonly limits: WorkspaceLimits
  readonly acceptedAtMs: number
  readonly customers: CustomerKeys
}

/** One reservation asks for at most this part of a window of events, so that it can be granted. */
const WINDOW_PARTS = 100

/**
 * What is queued for a valid element: its own bytes, stamped, and cut into pieces where one request
 * or budget grant could not carry it. Null: it does not fit a bulk body.
 */
export function buildElements(valid: ValidElement, context: BuildContext): Element[] | null {
  const { limits, customers } = context
  const text = ownText(valid, context.body)
  const customer = customers.keyOf(valid.type, valid.element)
  const kind = KIND_OF_TYPE[valid.type]
  const maxBytes = limits.maxBodyBytes - BULK_ENVELOPE_BYTES
  if (kind !== 'event') {
    return text.length > maxBytes ? null : [{ kind, json: text, cost: 1, customer, posted: 1 }]
  }
  const actions = valid.element.actions as readonly unknown[]
  const maxActions = Math.max(1, Math.floor(limits.eventsPerWindow / WINDOW_PARTS))
  const asIs = actions.length <= maxActions && text.length <= maxBytes && !actions.some(needsStamp)
  if (asIs) return [{ kind, json: text, cost: actions.length, customer, posted: 1 }]
  const spans = scanJson(text, 'actions', NESTING_LEVELS).items ?? []
  const event = {
    head: text.subarray(0, spans[0]?.start),
    actions: stampedActions(text, spans, actions, context.acceptedAtMs),
    tail: text.subarray(spans.at(-1)?.end),
  }
  const pieces = splitEvent(event, { maxActions, maxBytes })
  if (pieces === null) return null
  return pieces.map(({ json, actions: cost }, i) => ({
    kind,
    json,
    cost,
    customer,
    posted: i === pieces.length - 1 ? 1 : 0,
  }))
}

function ownText({ span, duplicateKeys }: ValidElement, body: Buffer): Buffer {
  const raw = body.subarray(span.start, span.end)
  const text = span.whitespace > 0 ? compact(raw, span.whitespace) : raw
  return duplicateKeys ? withoutDuplicateKeys(text) : text
}
