import { KINDS, type Element } from '@relay/shared/element.js'
import { Findings, type FoundAll } from '../validate/findings.js'
import type { Assessment, AssessmentOutcome } from './assess.js'

/**
 * An assessment as it passes between threads: elements as columns, for an object each takes longer to
 * copy than to judge. JSON texts lie in the body where they can, and behind one another in `extra`
 * otherwise; a place from the body's length on is one in `extra`.
 */
interface PackedAssessment {
  readonly findings: FoundAll
  readonly seen: Assessment['seen']
  readonly posted: number
  readonly accepted: Uint32Array
  readonly rejectedKinds: Assessment['rejectedKinds']
  readonly kinds: Uint8Array
  readonly posts: Uint8Array
  readonly costs: Uint32Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  /** All keys, which are equally long, one behind the other. */
  readonly customers: string
  readonly extra: Uint8Array
}

export type PackedOutcome =
  | { readonly ok: true; readonly packed: PackedAssessment }
  | (AssessmentOutcome & { readonly ok: false })

export function pack(outcome: AssessmentOutcome, body: Buffer): PackedOutcome {
  if (!outcome.ok) return outcome
  const { findings, seen, posted, accepted, queued, rejectedKinds } = outcome.assessment
  const { problems, warnings, problemCount, warningCount } = findings
  const starts = new Uint32Array(queued.length)
  const ends = new Uint32Array(queued.length)
  const extra: Buffer[] = []
  let end = body.length
  for (const [i, { json }] of queued.entries()) {
    const isInBody = json.buffer === body.buffer
    if (!isInBody) extra.push(json)
    starts[i] = isInBody ? json.byteOffset - body.byteOffset : end
    if (!isInBody) end += json.length
    ends[i] = (starts[i] ?? 0) + json.length
  }
  return {
    ok: true,
    packed: {
      findings: { problems, warnings, problemCount, warningCount },
      seen,
      posted,
      accepted: Uint32Array.from(accepted),
      rejectedKinds,
      kinds: Uint8Array.from(queued, ({ kind }) => KINDS.indexOf(kind)),
      posts: Uint8Array.from(queued, (element) => element.posted),
      costs: Uint32Array.from(queued, ({ cost }) => cost),
      starts,
      ends,
      customers: queued.map(({ customer }) => customer).join(''),
      extra: Buffer.concat(extra),
    },
  }
}

/** The assessment of `body`, which holds the same bytes as the one that was packed. */
export function unpack(
  outcome: PackedOutcome,
  body: Buffer,
  maxFindings: number,
): AssessmentOutcome {
  if (!outcome.ok) return outcome
  const {
    findings: found,
    seen,
    posted,
    accepted,
    rejectedKinds,
    extra,
    ...columns
  } = outcome.packed
  const keyLength = columns.customers.length / columns.starts.length
  const others = Buffer.from(extra.buffer, extra.byteOffset, extra.length)
  const queued: Element[] = []
  for (const [i, start] of columns.starts.entries()) {
    const end = columns.ends[i] ?? 0
    const isInBody = start < body.length
    queued.push({
      kind: KINDS[columns.kinds[i] ?? 0] ?? 'user',
      json: isInBody
        ? body.subarray(start, end)
        : others.subarray(start - body.length, end - body.length),
      cost: columns.costs[i] ?? 0,
      customer: columns.customers.slice(i * keyLength, (i + 1) * keyLength),
      posted: columns.posts[i] === 1 ? 1 : 0,
    })
  }
  return {
    ok: true,
    assessment: {
      findings: Findings.from(found, maxFindings),
      ...{ seen, posted, accepted: Array.from(accepted), queued, rejectedKinds },
    },
  }
}
