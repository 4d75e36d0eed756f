import { assess } from '../../src/accept/assess.js'
import { invalidRefusal } from '../../src/accept/refusals.js'
import { NOW_MS, workspace } from '../support/workspace.js'
import { ELEMENT_CASES } from './all.js'
import type { ElementCase } from './case.js'

const NEIGHBOUR = '{"type":"customer","customer_id":"first"}'
const context = {
  endpoint: 'transition',
  workspaceLimits: workspace('A').limits,
  limits: { maxElements: 100, maxFindings: 100 },
  nowMs: NOW_MS,
} as const

/** The tables of elements.test.ts without HTTP: what the judging itself says and makes of each. */
it.each(ELEMENT_CASES.map((given): [string, ElementCase] => [given.name, given]))(
  'judged by itself: %s',
  (_, { json, refused = [], warned = [], sent = [json], type }) => {
    const body = `{"type":"transition","elements":[${NEIGHBOUR},${json},${NEIGHBOUR}]}`
    const outcome = assess(Buffer.from(body), context)
    if (!outcome.ok) throw new Error(`the body was refused: ${outcome.fault.message}`)
    const { findings, queued, posted, rejectedKinds } = outcome.assessment
    expect(findings.problems.map(({ attribute }) => attribute)).toEqual(refused)
    expect(findings.problems.every(({ index }) => index === 1)).toBe(true)
    expect(posted).toBe(3)
    expect([...rejectedKinds.values()]).toEqual(refused.length > 0 ? [1] : [])
    const texts = queued.map(({ json: text }) => text.toString())
    expect(texts).toEqual([NEIGHBOUR, ...(refused.length > 0 ? [] : sent), NEIGHBOUR])
    if (refused.length === 0)
      expect(findings.warnings.map(({ attribute }) => attribute)).toEqual(warned)
    else if (type !== undefined) expect(invalidRefusal(findings).type).toBe(type)
  },
)
