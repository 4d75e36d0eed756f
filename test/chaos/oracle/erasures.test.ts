import { judge } from './judge.js'
import type { Evidence } from './model.js'
import { arrivals, evidence, posted, request } from './evidence.js'

const broken = (facts: Partial<Evidence>) => [
  ...new Set(judge(evidence(facts)).violations.map(({ law }) => law)),
]
const erasures = [{ customer: 'ann', askedAtMs: 100, doneAtMs: 200 }]
const facts = { posted: posted('ann', 1), arrived: arrivals('ann', [1]), erasures }

test('nothing of a forgotten customer is sent once relay has answered that it is done', () => {
  const sentAt = (startedAtMs: number) => ({ ...facts, requests: [request({ startedAtMs })] })
  expect(broken(sentAt(199))).toEqual([])
  expect(broken(sentAt(201))).toEqual(['nothing of a forgotten customer is sent'])
})

test('an erasure that Redis forgot is not judged', () => {
  const sent = { ...facts, requests: [request({ startedAtMs: 300 })] }
  expect(broken({ ...sent, forgets: [{ fromMs: 190, toMs: 250 }] })).toEqual([])
  const law = 'nothing of a forgotten customer is sent'
  expect(broken({ ...sent, forgets: [{ fromMs: 210, toMs: 250 }] })).toContain(law)
})

test('what was posted after the erasure may be sent, and what was posted before may be gone', () => {
  const later = facts.posted.map((e) => ({ ...e, postedAtMs: 300, acknowledgedAtMs: 310 }))
  expect(broken({ ...facts, posted: later, requests: [request({ startedAtMs: 400 })] })).toEqual([])
  expect(broken({ posted: facts.posted, erasures })).toEqual([])
  expect(broken({ posted: later, erasures })).toContain('nothing acknowledged is missing')
})
