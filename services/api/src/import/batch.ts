import { createHash } from 'node:crypto'
import type { Element } from '@relay/shared/element.js'
import {
  Validator,
  type Assessment,
  type AssessmentContext,
  type AssessmentOutcome,
} from '../accept/assess.js'
import type { Steps } from '../accept/fairness.js'
import { readBody } from '../accept/sparse.js'
import { CustomerKeys } from '../accept/identity.js'
import type { Line } from './ndjson.js'

/** One thing that is wrong or doubtful about one line. */
export interface LineFinding {
  readonly line: number
  readonly attribute: string
  readonly message: string
}

export interface JudgedBatch {
  readonly assessment: Assessment
  /** What is queued, in the order of the lines. */
  readonly elements: readonly Element[]
  readonly rejected: number
  readonly errors: readonly LineFinding[]
  readonly warnings: readonly LineFinding[]
}

/** As for a body of one line; its findings are those kept per batch. */
export interface BatchContext extends AssessmentContext {
  readonly maxLineBytes: number
}

/**
 * Validates every line like the other endpoints do: one element of any type each, in steps of a line.
 * `judged` has those of long lines, which were judged beside the event loop. Pure.
 */
export function* judgingBatch(
  lines: readonly Line[],
  context: BatchContext,
  judged: ReadonlyMap<Line, AssessmentOutcome>,
): Steps<JudgedBatch> {
  // Customers of a file rarely repeat and would evict those of producers from the cache.
  const validator = new Validator(context, new CustomerKeys())
  const { problems, warnings } = validator.findings
  const errors: LineFinding[] = []
  for (const line of lines) {
    yield
    const { number } = line
    const before = problems.length
    const fault = judgeLine(validator, line, context, judged.get(line))
    if (fault !== null) errors.push({ line: number, ...fault })
    for (const { attribute, message } of problems.slice(before)) {
      errors.push({ line: number, attribute, message })
    }
  }
  return {
    assessment: validator,
    elements: validator.queued,
    rejected: lines.length - validator.accepted.length,
    errors,
    // Read once the census has had its say.
    get warnings() {
      return warnings.map(({ index, attribute, message }) => {
        return { line: lines[index]?.number ?? 0, attribute, message }
      })
    },
  }
}

/** Why a line could not be read as an element; null if it was validated. */
function judgeLine(
  validator: Validator,
  { bytes }: Line,
  context: BatchContext,
  judged: AssessmentOutcome | undefined,
) {
  if (bytes === null) {
    validator.unreadable()
    const message = `The line is longer than ${context.maxLineBytes} bytes and was skipped`
    return { attribute: '', message }
  }
  // Reads one element; validation checks its type.
  const read = judged ?? readBody(bytes, context)
  if (!read.ok) {
    validator.unreadable()
    return { attribute: read.fault.attribute ?? '', message: read.fault.message }
  }
  if ('assessment' in read) validator.judged(read.assessment)
  else for (const element of read.elements) validator.element(element, bytes)
  return null
}

/** Bytes that identify a batch; see `Post.digest`. */
const DIGEST_BYTES = 12

export interface BatchIdentity {
  readonly producer: string
  readonly appId: string
  readonly key: string
  readonly projectCode: string | null
}

/**
 * Identifies a batch of a keyed import to the queues, so that the same lines posted again with the
 * same numbers are stored once. It includes the verdicts on the lines: if one is refused today and
 * accepted tomorrow, the batch must not count as stored.
 */
export function batchDigest(
  { producer, appId, key, projectCode }: BatchIdentity,
  lines: readonly Line[],
  { elements, assessment }: JudgedBatch,
): Buffer {
  const bytes = elements.reduce((sum, { json }) => sum + json.length, 0)
  const project = projectCode === null ? [] : [projectCode]
  const facts = [producer, appId, key, elements.length, bytes, assessment.accepted, ...project]
  const hash = createHash('sha256').update(`import ${JSON.stringify(facts)}\n`)
  for (const { number, bytes: text } of lines) {
    hash.update(`${number} ${text?.length ?? -1}\n`)
    if (text !== null) hash.update(text)
  }
  return hash.digest().subarray(0, DIGEST_BYTES)
}
