import { KINDS, type Element } from '@relay/shared/element.js'
import { Findings, type FoundAll } from '../validate/findings.js'
import type { Assessment, AssessmentOutcome } from './assess.js'

/**
 * An assessment as it passes between threads: elements as numbers, for an object each takes longer to
 * copy than to judge. JSON texts lie in the body where they can, and behind one another in `extra`
 * otherwise; a place from the body's length on is one in `extra`.
 */
interface PackedAssessment {
  readonly findings: FoundAll
  readonly seen: Assessment['seen']
  readonly posted: number
  readonly accepted: Uint32Array
  readonly rejectedKinds: Assessment['rejectedKinds']
  /** `ROW` numbers per element: kind, posted, cost, and the places where its JSON text starts and ends. */
  readonly rows: Uint32Array
  /** All keys, which are equally long, one behind the other. */
  readonly customers: string
  readonly extra: Uint8Array
}

const ROW = 5

export type PackedOutcome =
  | { readonly ok: true; readonly packed: PackedAssessment }
  | (AssessmentOutcome & { readonly ok: false })

export function pack(outcome: AssessmentOutcome, body: Buffer): PackedOutcome {
  if (!outcome.ok) return outcome
  const { findings, seen, posted, accepted, queued, rejectedKinds } = outcome.assessment
  const { problems, warnings, problemCount, warningCount } = findings
  const rows = new Uint32Array(queued.length * ROW)
  const extra: Buffer[] = []
  let end = body.length
  for (const [i, { kind, posted, cost, json }] of queued.entries()) {
    const isInBody = json.buffer === body.buffer
    const start = isInBody ? json.byteOffset - body.byteOffset : end
    rows.set([KINDS.indexOf(kind), posted, cost, start, start + json.length], i * ROW)
    if (isInBody) continue
    extra.push(json)
    end += json.length
  }
  return {
    ok: true,
    packed: {
      findings: { problems, warnings, problemCount, warningCount },
      seen,
      posted,
      accepted: Uint32Array.from(accepted),
      rejectedKinds,
      rows,
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
  const { findings: found, seen, posted, accepted, rejectedKinds, extra, ...own } = outcome.packed
  const { rows, customers } = own
  const keyLength = (customers.length / rows.length) * ROW
  const others = Buffer.from(extra.buffer, extra.byteOffset, extra.length)
  const queued: Element[] = []
  for (let i = 0; i * ROW < rows.length; i++) {
    // By index: a list of each row's numbers would cost more than the rest.
    const number = (column: number) => rows[i * ROW + column] ?? 0
    const [start, end] = [number(3), number(4)]
    queued.push({
      kind: KINDS[number(0)] ?? 'user',
      json:
        start < body.length
          ? body.subarray(start, end)
          : others.subarray(start - body.length, end - body.length),
      cost: number(2),
      customer: customers.slice(i * keyLength, (i + 1) * keyLength),
      posted: number(1) === 1 ? 1 : 0,
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
