import { judgeLiveness } from './liveness.js'
import type { Evidence, Resumes } from './model.js'
import { disturbance, evidence, posted, request } from './evidence.js'

const HEALED_MS = 100_000

/** What is broken when the first request after a fault arrives so late. */
const late = (byMs: number, resumes: Resumes, facts: Partial<Evidence> = {}) =>
  judgeLiveness(
    evidence({
      posted: posted('ann', 1),
      healedAtMs: HEALED_MS,
      disturbances: [disturbance({ toMs: HEALED_MS - 1, resumes })],
      requests: [request({ startedAtMs: HEALED_MS + byMs - 1, arrivedAtMs: HEALED_MS + byMs })],
      ...facts,
    }),
  ).map(({ law }) => law)

const TOO_LATE = ['sending resumes in time']

test.each([
  ['soon', 2_500, []],
  ['soon', 3_500, TOO_LATE],
  ['lease', 3_500, []],
  ['lease', 4_500, TOO_LATE],
  ['later', 60_000, []],
] as const)('after a fault that ends "%s", %d ms: %p', (resumes, byMs, laws) =>
  expect(late(byMs, resumes)).toEqual(laws),
)

test('nothing ever again is too late', () => {
  expect(late(0, 'soon', { requests: [] })).toEqual(TOO_LATE)
})

test('nothing has to be sent where nothing waits', () => {
  expect(late(30_000, 'soon', { posted: [] })).toEqual([])
  expect(late(30_000, 'soon', { deadLetters: [{ customer: 'ann', seq: 1 }] })).toEqual([])
  const erasures = [{ customer: 'ann', askedAtMs: 0, doneAtMs: 1 }]
  expect(late(30_000, 'soon', { erasures })).toEqual([])
  // Redis has forgotten it.
  expect(late(30_000, 'soon', { forgets: [{ fromMs: 0, toMs: HEALED_MS }] })).toEqual([])
})

test('a budget that is spent is waited for', () => {
  const spent = request({ requestId: 'r0', startedAtMs: HEALED_MS - 10, arrivedAtMs: HEALED_MS - 5, cost: { users: 90, events: 0, devices: 0 } }) // prettier-ignore
  expect(late(30_000, 'soon', { requests: [spent] })).toEqual([])
})

test('a fault without a class, and a death beside a Redis that restarted, are not judged', () => {
  expect(late(30_000, 'soon', { disturbances: [disturbance({ toMs: HEALED_MS })] })).toEqual([])
  const both = [
    disturbance({ name: 'redis-kill', toMs: HEALED_MS, resumes: 'soon' }),
    disturbance({ name: 'worker-kill', toMs: HEALED_MS, resumes: 'lease' }),
  ]
  expect(late(30_000, 'soon', { disturbances: both })).toEqual([])
})

test('a fault of MoEngage is over once it has accepted something since', () => {
  const disturbances = [
    disturbance({ name: 'vendor-5xx', toMs: HEALED_MS - 5_000, resumes: 'later' }),
    disturbance({ name: 'api-kill', toMs: HEALED_MS - 1, resumes: 'soon' }),
  ]
  const two = posted('ann', 2)
  const acceptedAt = (atMs: number) => [
    request({ requestId: 'r0', startedAtMs: atMs - 5, arrivedAtMs: atMs }),
    request({ startedAtMs: HEALED_MS + 9_000, arrivedAtMs: HEALED_MS + 9_010 }),
  ]
  const outcome = (atMs: number) =>
    late(0, 'soon', { posted: two, disturbances, requests: acceptedAt(atMs) })
  expect(outcome(HEALED_MS - 4_000)).toEqual(TOO_LATE)
  expect(outcome(HEALED_MS - 6_000)).toEqual([])
})
