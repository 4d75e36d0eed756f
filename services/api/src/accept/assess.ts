import type { Element, Kind } from '@relay/shared/element.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import type { Seen } from '../census/census.js'
import type { NameTable } from '../census/name-table.js'
import { sightingsIn } from '../census/sighting.js'
import { CustomerKeys } from './identity.js'
import { checkElement, type CheckedElement } from '../validate/element.js'
import { Findings, isObject } from '../validate/findings.js'
import { KIND_OF_TYPE, type ElementType } from '../validate/names.js'
import { STANDARD_VOCABULARY, type Vocabulary } from '../validate/vocabulary.js'
import { buildElements, type BuildContext } from './build.js'
import type { Span } from '../json/scan.js'
import { runAll, type Steps } from './fairness.js'
import type { BodyFault, ParsedElement, Wanted } from './parse.js'
import { readBody } from './sparse.js'

/** Limits of one request that do not depend on the workspace. */
export interface RequestLimits {
  readonly maxElements: number
  /** Problems or warnings that one answer lists; all are counted. */
  readonly maxFindings: number
}

export const REQUEST_LIMITS: RequestLimits = { maxElements: 50_000, maxFindings: 1_000 }

export interface Assessment {
  readonly findings: Findings
  readonly posted: number
  /** Positions in the request of the elements that passed, 0-based. */
  readonly accepted: readonly number[]
  /** What is queued for them, in order; several for an event that is split. */
  readonly queued: readonly Element[]
  /** Refused elements by kind; elements of an unknown type count under `null`. */
  readonly rejectedKinds: ReadonlyMap<Kind | null, number>
  /** Names of accepted elements that the census wants to know of. */
  readonly seen: readonly Seen[]
}

export type AssessmentOutcome =
  | { readonly ok: true; readonly assessment: Assessment }
  | { readonly ok: false; readonly fault: BodyFault }

export interface AssessmentContext {
  readonly endpoint: Wanted
  readonly workspaceLimits: WorkspaceLimits
  readonly limits: RequestLimits
  /** Absent: the documented names alone. */
  readonly names?: Vocabulary | undefined
  /** Names of which the census needs no word; absent: there is no census. */
  readonly known?: NameTable | undefined
  /** The time of acceptance, if it is accepted. */
  readonly nowMs: number
}

/**
 * A body from this size on is judged beside the event loop, bytes. `JSON.parse` cannot be paused: it
 * takes 30 to 170 ms for the worst 1 MiB, and a sixteenth of that below this size.
 */
export const LARGE_BODY_BYTES = 65_536

/** Parses and validates a body, and builds what would be queued. Pure. */
export function assess(body: Buffer, context: AssessmentContext): AssessmentOutcome {
  return runAll(assessing(body, context))
}

/** The same in steps of one element each. */
export function* assessing(body: Buffer, context: AssessmentContext): Steps<AssessmentOutcome> {
  const parsed = readBody(body, context)
  if (!parsed.ok) return parsed
  const validator = new Validator(context, CUSTOMERS)
  // The elements of the other lists are lost: the producer should know.
  if (parsed.isListRepeated) validator.findings.add('repeatedMember', 0, 'elements')
  for (const name of parsed.unknown ?? []) {
    const meant = name === 'project_code' ? '?project_code=' : ''
    validator.findings.add('unknownMember', 0, name, meant)
  }
  for (const element of parsed.elements) {
    yield
    validator.element(element, body)
  }
  return { ok: true, assessment: validator }
}

/** Sightings of one request after which no further element's are kept: the census is a hint. */
const MAX_SEEN = 2_000

/** Shared by all requests but imports: customers come back. */
const CUSTOMERS = new CustomerKeys()

/** Validates elements one by one and collects an assessment. Pure. */
export class Validator implements Assessment {
  readonly findings: Findings
  readonly accepted: number[] = []
  readonly queued: Element[] = []
  readonly rejectedKinds = new Map<Kind | null, number>()
  readonly seen: Seen[] = []
  posted = 0
  readonly #context: AssessmentContext
  readonly #build: BuildContext
  /** The type that a single-element endpoint asks for; null: any. */
  readonly #expected: ElementType | null

  constructor(context: AssessmentContext, customers: CustomerKeys) {
    this.#context = context
    const { endpoint, limits, workspaceLimits, nowMs, names = STANDARD_VOCABULARY } = context
    this.findings = new Findings(limits.maxFindings)
    this.#build = { limits: workspaceLimits, nowMs, customers, names }
    this.#expected = endpoint === 'transition' || endpoint === 'line' ? null : endpoint
  }

  /** Validates the next element of `body`; returns false if it is refused. */
  element(parsed: ParsedElement, body: Buffer): boolean {
    const index = this.posted++
    if (this.#neverFits(parsed)) return this.#refuse(parsed, index, { isTooLarge: true })
    const valid = this.#check(parsed, index)
    const queued = valid === null ? null : this.#queue(valid, parsed.span, body, index)
    if (valid === null || queued === null) {
      return this.#refuse(parsed, index, { isTooLarge: valid !== null })
    }
    // Nothing parsed is kept: it would outlive many a garbage collection while the post is stored.
    this.accepted.push(index)
    for (const element of queued) this.queued.push(element)
    this.#see(parsed, valid, index)
    return true
  }

  #refuse({ value }: ParsedElement, index: number, { isTooLarge }: { isTooLarge: boolean }): false {
    const { maxBodyBytes } = this.#context.workspaceLimits
    if (isTooLarge) this.findings.add('tooLarge', index, '', tooLarge(maxBodyBytes))
    this.#reject(kindOf(value))
    return false
  }

  #queue(valid: CheckedElement, span: Span, body: Buffer, index: number): Element[] | null {
    if (!valid.isIrregular) return buildElements(valid, span, body, this.#build)
    return buildElements(valid, span, body, this.#build, (path) =>
      this.findings.add('repeatedMember', index, path),
    )
  }

  /** Checked before the element is walked: only events are split, between their actions. */
  #neverFits({ value, span }: ParsedElement): boolean {
    const bytes = span.end - span.start - span.whitespace
    if (bytes <= this.#context.workspaceLimits.maxBodyBytes) return false
    return !(isObject(value) && value.type === 'event' && Array.isArray(value.actions))
  }

  /** Adds an element that was judged as a separate body. */
  judged({ accepted, queued, rejectedKinds, seen, findings }: Assessment): void {
    const index = this.posted++
    this.findings.addAll(findings, index)
    if (accepted.length > 0) this.accepted.push(index)
    for (const element of queued) this.queued.push(element)
    for (const kind of rejectedKinds.keys()) this.#reject(kind)
    for (const { sighting } of seen.slice(0, MAX_SEEN - this.seen.length))
      this.seen.push({ index, sighting })
  }

  /** Counts an element that could not even be read. */
  unreadable(): void {
    this.posted++
    this.#reject(null)
  }

  #check(parsed: ParsedElement, index: number): CheckedElement | null {
    const { findings } = this
    const { names, nowMs } = this.#build
    const bytes = parsed.span.end - parsed.span.start
    const isPlain = parsed.survey !== undefined
    const reporter = { index, findings, nowMs, names, bytes, isPlain }
    return checkElement(parsed, this.#expected, reporter)
  }

  #see({ sightings }: ParsedElement, { element }: CheckedElement, index: number): void {
    const { known } = this.#context
    if (known === undefined || this.seen.length >= MAX_SEEN) return
    for (const sighting of sightings ?? sightingsIn(element, known))
      this.seen.push({ index, sighting })
  }

  #reject(kind: Kind | null): void {
    this.rejectedKinds.set(kind, (this.rejectedKinds.get(kind) ?? 0) + 1)
  }
}

function tooLarge(maxBodyBytes: number): string {
  return `The payload can not exceed ${maxBodyBytes} bytes: this element does not fit one bulk request`
}

function kindOf(value: unknown): Kind | null {
  const type = isObject(value) ? value.type : undefined
  if (typeof type !== 'string' || !Object.hasOwn(KIND_OF_TYPE, type)) return null
  return KIND_OF_TYPE[type as keyof typeof KIND_OF_TYPE]
}
