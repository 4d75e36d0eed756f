import { assess } from '../../src/accept/assess.js'
import { countRejected, countStored, countWarnings } from '../../src/accept/count.js'
import { device, event, user } from '../corpus/case.js'
import { RecordingObserver } from '../support/doubles.js'
import { APP, NOW_MS, workspace } from '../support/workspace.js'

const counted = { workspace: workspace(APP), lane: 'backfill' as const }

function assessed(...elements: string[]) {
  const outcome = assess(Buffer.from(`{"type":"transition","elements":[${elements.join()}]}`), {
    endpoint: 'transition',
    workspaceLimits: { ...counted.workspace.limits, eventsPerWindow: 100 },
    limits: { maxElements: 100, maxFindings: 100 },
    nowMs: NOW_MS,
  })
  if (!outcome.ok) throw new Error(outcome.fault.message)
  return outcome.assessment
}

const action = { action: 'A', user_time: 1 }
const split = event({ actions: [action, action, action] })

it('counts what is stored by kind, an event once however it is split', () => {
  const observer = new RecordingObserver()
  countStored(observer, counted, assessed(user(), split, user(), device()), 'unavailable')
  const own = { appId: APP, lane: 'backfill', outcome: 'unavailable' }
  expect(observer.counts).toEqual([
    { ...own, kind: 'user', count: 2 },
    { ...own, kind: 'event', count: 1 },
    { ...own, kind: 'device', count: 1 },
  ])
})

it('counts what is refused by kind, an unknown one as a user, and every fault by its rule', () => {
  const observer = new RecordingObserver()
  const nameless = event({ customer_id: undefined })
  countRejected(observer, counted, assessed(nameless, user(), '{"type":"x"}', nameless, '7'))
  const own = { appId: APP, lane: 'backfill', outcome: 'rejected' }
  expect(observer.counts).toEqual([
    { ...own, kind: 'event', count: 2 },
    { ...own, kind: 'user', count: 2 },
  ])
  expect(observer.refusals).toEqual([
    [APP, 'noIdentity', 2],
    [APP, 'unknownType', 1],
    [APP, 'notAnObject', 1],
  ])
})

it('counts warnings by their rule', () => {
  const observer = new RecordingObserver()
  const doubtful = event({ actions: [{ ...action, attributes: { 'a.b': 1 } }] })
  const given = assessed(doubtful, user(), doubtful)
  countWarnings(observer, counted, given)
  const rules = given.findings.warnings.map(({ rule }) => rule)
  expect(rules.length).toBeGreaterThan(1)
  expect(observer.warnings).toEqual(
    [...new Set(rules)].map((rule) => [APP, rule, rules.filter((r) => r === rule).length]),
  )
})
