import { changedElement as changed } from '@relay/test/support/fuzz/elements.js'
import { vendorFault } from '@relay/test/support/fuzz/vendor-schemas.js'
import fc from 'fast-check'
import { assess } from '../src/accept/assess.js'
import { NOW_MS, workspace } from './support/intake.js'

/**
 * Elements near the border of what is valid are made from good ones by random changes; everything
 * intake accepts must be valid to the vendor's own schemas, judged by a validator that shares
 * nothing with relay. The same over HTTP: test/abuse/fuzz.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 4_000)

const context = {
  endpoint: 'transition',
  workspaceLimits: workspace('A').limits,
  limits: { maxElements: 100, maxFindings: 100 },
  nowMs: NOW_MS,
} as const

describe('any posted body', () => {
  it('no element is accepted that the vendor’s schema refuses', () => {
    let accepted = 0
    fc.assert(
      fc.property(changed, (element) => {
        const body = Buffer.from(JSON.stringify({ type: 'transition', elements: [element] }))
        const outcome = assess(body, context)
        if (!outcome.ok) throw new Error('a body of elements was not even read')
        accepted += outcome.assessment.accepted.length
        for (const { json } of outcome.assessment.queued) {
          const fault = vendorFault(JSON.parse(json.toString()) as { type: unknown })
          if (fault !== null) throw new Error(fault)
        }
      }),
      { numRuns: RUNS },
    )
    // The search must see both sides of the border.
    expect(accepted).toBeGreaterThan(RUNS / 20)
    expect(accepted).toBeLessThan(RUNS * 0.95)
  })

  it('no body makes a fault of relay’s own', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(`{"type":"transition","elements":[${text}]}`)),
      fc.tuple(changed, fc.nat(), fc.nat(255)).map(([element, at, byte]) => {
        const bytes = Buffer.from(JSON.stringify({ type: 'transition', elements: [element] }))
        bytes[at % bytes.length] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(body, (bytes) => {
        const outcome = assess(bytes, context)
        if (!outcome.ok) return
        for (const { json } of outcome.assessment.queued) JSON.parse(json.toString())
      }),
      { numRuns: RUNS },
    )
  })
})
