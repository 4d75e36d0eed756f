/**
 * Splits an event into parts that fit one request and one budget grant. Pure.
 */
export interface EventText {
  /** The element's text up to and including the `[` of its actions. */
  readonly head: Buffer
  readonly actions: readonly Buffer[]
  /** From the `]` of its actions to the end. */
  readonly tail: Buffer
}

export interface PartLimits {
  readonly maxActions: number
  readonly maxBytes: number
}

export interface EventPart {
  readonly json: Buffer
  readonly actions: number
}

/**
 * The parts in order, each an event element with the same identity fields and the next actions, as
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
