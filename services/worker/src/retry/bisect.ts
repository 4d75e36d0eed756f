/**
 * Finds the elements that make MoEngage refuse a batch, and delivers the others in order.
 *
 * It walks the batch from front to back. A group known to hold a bad element is halved; when its first
 * half is accepted, the bad one is in the second, which therefore need not be sent whole. So a bad element
 * costs about log2(n) + 2 requests; plain halving of both sides would cost twice that. The sent elements
 * are always a prefix, so the order of no customer changes.
 */

/** Elements [start, end) of the batch. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** Where a bisection stands; plain JSON. */
export interface Bisection {
  /** The next request of the plan. Empty (start = end): everything is settled. */
  readonly next: Range
  /** End of the group that certainly holds a bad element; equals `next.start` when none is known. */
  readonly knownEnd: number
  readonly end: number
  /** Likely bad elements within the known group, ascending. */
  readonly suspects: readonly number[]
  /** A suspect was fine, or a group without one was bad: hints are not used any more. */
  readonly mistrustful: boolean
  readonly settled: number
  readonly refused: number
  /** Maximum elements of a request without known results. */
  readonly stride: number
}

/** Whether an element fits MoEngage's words about the refusal just received. */
export type Suspects = (index: number) => boolean

export type BisectionStep =
  | { readonly step: 'send'; readonly bisection: Bisection }
  /** This element was refused alone: dead-letter it, then continue. */
  | { readonly step: 'dead_letter'; readonly index: number; readonly bisection: Bisection }

/** More suspects than these narrow nothing down, and a wrong hint would cost more than it saves. */
const MAX_SUSPECTS = 4

/** Number of bad elements from which the rest of the batch is assumed to be as bad. */
const MANY_BAD = 4

const NOBODY: Suspects = () => false

/** A bisection of `count` elements that were just refused together; `count` is at least 2. */
export function startBisection(count: number, suspects: Suspects = NOBODY): Bisection {
  const whole: Bisection = {
    next: { start: 0, end: count },
    knownEnd: 0,
    end: count,
    suspects: [],
    mistrustful: false,
    settled: 0,
    refused: 0,
    stride: count,
  }
  return narrowed(whole, suspects)
}

/** Nothing is left to send. */
export function isBisected({ next }: Bisection): boolean {
  return next.start >= next.end
}

export function onAccepted(bisection: Bisection): Bisection {
  const { next, suspects, knownEnd, mistrustful } = bisection
  const size = next.end - next.start
  const cleared = suspects.some((index) => index < next.end)
  const settled: Bisection = {
    ...bisection,
    settled: bisection.settled + size,
    suspects: suspects.filter((index) => index >= next.end),
    mistrustful: mistrustful || (cleared && size === 1),
    stride: bisection.stride * 2,
  }
  // A single element that was known to be bad is now accepted: the cause has passed.
  return knownEnd > next.end ? within(settled, next.end, knownEnd) : unknownFrom(settled, next.end)
}

/** MoEngage refused `bisection.next` for its elements. `suspects`: by its words this time. */
export function onRefused(bisection: Bisection, suspects: Suspects = NOBODY): BisectionStep {
  const { next } = bisection
  if (next.end - next.start > 1) return { step: 'send', bisection: narrowed(bisection, suspects) }
  const refused = bisection.refused + 1
  const settled = bisection.settled + 1
  const perRefused = Math.max(1, Math.floor(settled / refused))
  const stride = refused < MANY_BAD ? bisection.end : perRefused
  const rest = unknownFrom({ ...bisection, refused, settled, stride }, next.end)
  return { step: 'dead_letter', index: next.start, bisection: rest }
}

/** `bisection.next` was refused as a whole: it becomes the known group, and its first part is next. */
function narrowed(bisection: Bisection, isSuspect: Suspects): Bisection {
  const { start, end } = bisection.next
  const misled = bisection.suspects.length > 0 && !bisection.suspects.some((i) => i < end)
  const mistrustful = bisection.mistrustful || misled
  const found: number[] = []
  for (let i = start; i < end && found.length <= MAX_SUSPECTS; i++) {
    if (!mistrustful && isSuspect(i)) found.push(i)
  }
  const suspects = found.length > MAX_SUSPECTS ? [] : found
  return within({ ...bisection, suspects, mistrustful }, start, end)
}

/** Something in [start, end) is bad: takes its first part next, or the last one left, to be sure. */
function within(bisection: Bisection, start: number, end: number): Bisection {
  return {
    ...bisection,
    knownEnd: end,
    next: { start, end: end - start === 1 ? end : cut(bisection, start, end) },
  }
}

/** Halves the suspects where there are any, a lone suspect is set apart; else halves the range. */
function cut({ suspects, mistrustful }: Bisection, start: number, end: number): number {
  const middle = mistrustful ? undefined : suspects[Math.floor(suspects.length / 2)]
  if (middle === undefined) return start + Math.ceil((end - start) / 2)
  return middle > start ? middle : start + 1
}

/** The next group of unknown elements, up to the stride. */
function unknownFrom(bisection: Bisection, start: number): Bisection {
  const end = Math.min(bisection.end, start + bisection.stride)
  return { ...bisection, next: { start, end }, knownEnd: start, suspects: [] }
}
