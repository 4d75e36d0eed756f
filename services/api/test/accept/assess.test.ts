import { assess, Validator } from '../../src/accept/assess.js'
import type { Endpoint } from '../../src/accept/parse.js'
import { CustomerKeys } from '../../src/accept/identity.js'
import { action, device, event, user } from '../corpus/case.js'
import { NOW_MS, workspace } from '../support/workspace.js'

const LIMITS = { ...workspace('A').limits, eventsPerWindow: 300, maxBodyBytes: 400 }

function judged(body: string, endpoint: Endpoint = 'transition') {
  const outcome = assess(Buffer.from(body), {
    endpoint,
    workspaceLimits: LIMITS,
    limits: { maxElements: 9, maxFindings: 9 },
    nowMs: NOW_MS,
  })
  if (!outcome.ok) return outcome.fault.type
  const { queued, findings, rejectedKinds } = outcome.assessment
  const sent = queued.map(({ json }) => json.toString())
  return { sent, problems: findings.problems, rejected: [...rejectedKinds] }
}
const list = (...elements: string[]) => `{"type":"transition","elements":[${elements.join()}]}`

it('a body that cannot be read is judged as a whole', () => {
  expect(judged('')).toBe('Empty request body')
  expect(judged('[]')).toBe('Body type is not JSON')
})

it('one element has the type that its endpoint asks for', () => {
  expect(judged(user(), 'customer')).toEqual({ sent: [user()], problems: [], rejected: [] })
  expect(judged(user(), 'event')).toMatchObject({ sent: [], rejected: [['user', 1]] })
  expect(judged(list(user(), event()))).toMatchObject({ sent: [user(), event()], problems: [] })
})

it('what fits no bulk body is refused, to the byte, and counted by its kind', () => {
  const wide = (bytes: number) => user({ first: 'x'.repeat(bytes - user({ first: '' }).length) })
  const most = LIMITS.maxBodyBytes - list().length
  expect(judged(list(wide(most)))).toMatchObject({ sent: [wide(most)], problems: [] })
  const refused = judged(list(wide(most + 1), user()))
  expect(refused).toMatchObject({ sent: [user()], rejected: [['user', 1]] })
  expect(refused).toMatchObject({ problems: [{ rule: 'tooLarge', index: 0, attribute: '' }] })
  const [problem] = typeof refused === 'string' ? [] : refused.problems
  expect(problem?.message).toContain(String(LIMITS.maxBodyBytes))
})

it('an event is cut only where it has to be: three actions are 1 % of the window', () => {
  const actions = [1, 2, 3].map((n) => action({ n }))
  const three = event({ actions })
  expect(three.length).toBeLessThan(LIMITS.maxBodyBytes - list().length)
  expect(judged(list(three))).toMatchObject({ sent: [three] })
  const four = judged(list(event({ actions: [...actions, action({ n: 4 })] })))
  expect(four).toMatchObject({ sent: [three, event({ actions: [action({ n: 4 })] })] })
})

it('what cannot even be read is counted without a kind', () => {
  const limits = { maxElements: 9, maxFindings: 9 }
  const context = { endpoint: 'line', limits, workspaceLimits: LIMITS, nowMs: NOW_MS } as const
  const validator = new Validator(context, new CustomerKeys())
  validator.unreadable()
  validator.unreadable()
  expect(validator.posted).toBe(2)
  expect([...validator.rejectedKinds]).toEqual([[null, 2]])
})

it.each([
  ['{"type":"event"}', 'event'],
  ['{"type":"customer","customer_id":7}', 'user'],
  ['{"type":"device"}', 'device'],
  ['{"type":"toString"}', null],
  ['{"type":["event"]}', null],
  ['{"type":7}', null],
  ['{}', null],
  ['null', null],
])('a refused %s is counted as of kind %j', (element, kind) => {
  expect(judged(list(element, device()))).toMatchObject({ rejected: [[kind, 1]] })
})
