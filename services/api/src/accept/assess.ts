import type { Element, Kind } from '@relay/shared/element.js'
import type { WorkspaceLimits } from '@relay/shared/config/workspace.js'
import { CustomerKeys } from '../identity/identity.js'
import { stampOf } from '../stamp/stamp.js'
import { checkElement } from '../validate/element.js'
import { Findings } from '../validate/findings.js'
import { KIND_OF_TYPE } from '../validate/names.js'
import { isObject } from '../validate/subject.js'
import { buildElements, type ValidElement } from './build.js'
import { parseBody, type BodyFault, type Endpoint, type ParsedElement } from './parse.js'

/** Bounds of one request that do not depend on the workspace. */
export interface RequestLimits {
  readonly maxElements: number
  /** Problems or warnings that one answer lists; all are counted. */
  readonly maxFindings: number
}

export interface Assessment {
  readonly findings: Findings
  readonly posted: number
  /** Elements that passed, with what is queued for each. */
  readonly accepted: readonly {
    readonly valid: ValidElement
    readonly queued: readonly Element[]
  }[]
  /** What was refused, by kind; elements of no known type are counted under `null`. */
  readonly rejectedKinds: ReadonlyMap<Kind | null, number>
}

export type AssessmentOutcome =
  | { readonly ok: true; readonly assessment: Assessment }
  | { readonly ok: false; readonly fault: BodyFault }

export interface AssessmentContext {
  readonly endpoint: Endpoint
  readonly workspaceLimits: WorkspaceLimits
  readonly limits: RequestLimits
  /** The moment of acceptance, should it be accepted. */
  readonly nowMs: number
}

/** Parses and judges a body, and makes what would be queued of it. Pure. */
export function assess(body: Buffer, context: AssessmentContext): AssessmentOutcome {
  const { endpoint, limits, nowMs } = context
  const parsed = parseBody(body, endpoint, limits.maxElements)
  if (!parsed.ok) return parsed
  const findings = new Findings(limits.maxFindings)
  const expected = endpoint === 'transition' ? null : endpoint
  const rejectedKinds = new Map<Kind | null, number>()
  const accepted: { valid: ValidElement; queued: Element[] }[] = []
  const build = {
    body,
    limits: context.workspaceLimits,
    stamp: stampOf(nowMs),
    customers: new CustomerKeys(),
  }
  parsed.elements.forEach((element, index) => {
    const valid = check(element, index)
    const queued = valid === null ? null : buildElements(valid, build)
    if (valid !== null && queued !== null) {
      accepted.push({ valid, queued })
      return
    }
    if (valid !== null) findings.add('tooLarge', index, '', tooLarge(build.limits.maxBodyBytes))
    const kind = kindOf(element.value)
    rejectedKinds.set(kind, (rejectedKinds.get(kind) ?? 0) + 1)
  })
  const posted = parsed.elements.length
  return { ok: true, assessment: { findings, posted, accepted, rejectedKinds } }

  function check({ value, span }: ParsedElement, index: number): ValidElement | null {
    const checked = checkElement(value, span, expected, { index, findings, nowMs })
    if (checked === null) return null
    const { type, element, duplicateKeys } = checked
    return { type, element, duplicateKeys, index, span }
  }
}

/** What is queued when an earlier try of the same request was accepted at another moment. */
export function rebuild(
  { accepted }: Assessment,
  body: Buffer,
  limits: WorkspaceLimits,
  acceptedAtMs: number,
): Element[] {
  const context = { body, limits, stamp: stampOf(acceptedAtMs), customers: new CustomerKeys() }
  return accepted.flatMap(({ valid }) => buildElements(valid, context) ?? [])
}

function tooLarge(maxBodyBytes: number): string {
  return `The payload can not exceed ${String(maxBodyBytes)} bytes: this element does not fit one bulk request`
}

function kindOf(value: unknown): Kind | null {
  const type = isObject(value) ? value.type : undefined
  if (typeof type !== 'string' || !Object.hasOwn(KIND_OF_TYPE, type)) return null
  return KIND_OF_TYPE[type as keyof typeof KIND_OF_TYPE]
}
