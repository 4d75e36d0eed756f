import { judgeViews } from './views.js'
import type { Evidence } from './model.js'
import { arrivals, disturbance, evidence, posted, request } from './evidence.js'

const shows = (backlog: number, atMs = 10_000) => [
  { where: 'status', fromMs: atMs, toMs: atMs + 10, backlog },
]
const details = (facts: Partial<Evidence>) => judgeViews(evidence(facts)).map((v) => v.detail)
const two = posted('ann', 2)

test('a backlog of all that is accepted and not delivered is right', () => {
  expect(details({ posted: two, samples: shows(2) })).toEqual([])
})

test.each([0, 1])('%d is too little for two elements that wait', (backlog) => {
  expect(details({ posted: two, samples: shows(backlog) })).toEqual([
    `status at 10000: ${backlog}, 2 wait`,
  ])
})

test('an element accepted just now may be missing in it', () => {
  const late = two.map((e) => ({ ...e, acknowledgedAtMs: 9_500 }))
  expect(details({ posted: late, samples: shows(0) })).toEqual([])
})

test('what was delivered a moment ago may be in it or not, later not', () => {
  const facts = { posted: two, arrived: arrivals('ann', [1, 2]) }
  const at = (arrivedAtMs: number) => ({ ...facts, requests: [request({ arrivedAtMs })] })
  for (const backlog of [0, 1, 2]) {
    expect(details({ ...at(9_000), samples: shows(backlog) })).toEqual([])
  }
  expect(details({ ...at(1_000), samples: shows(2) })).toEqual([
    'status at 10000: 2, at most 0 wait',
  ])
})

test('what arrives again later waited until then', () => {
  const requests = [
    request({ requestId: 'first', arrivedAtMs: 1_000 }),
    request({ requestId: 'second', arrivedAtMs: 20_000 }),
  ]
  const arrived = ['first', 'second'].flatMap((requestId) =>
    arrivals('ann', [1]).map((one) => ({ ...one, requestId })),
  )
  const outcome = (backlog: number) =>
    details({ posted: two, arrived, requests, samples: shows(backlog) })
  expect([outcome(1), outcome(2)]).toEqual([[], []])
  expect(outcome(3)).toEqual(['status at 10000: 3, at most 2 wait'])
})

test('after a fault it may be too much, never too little', () => {
  const facts = {
    posted: two,
    arrived: arrivals('ann', [1]),
    requests: [request({ arrivedAtMs: 1_000 })],
    disturbances: [disturbance({ fromMs: 900, toMs: 9_999 })],
    settleWithinMs: 100,
  }
  expect(details({ ...facts, samples: shows(2) })).toEqual([])
  expect(details({ ...facts, samples: shows(0) })).toEqual(['status at 10000: 0, 1 wait'])
})

test('what a restored Redis lost or an operator had erased is not missing in it', () => {
  const samples = shows(0)
  expect(details({ posted: two, samples, forgets: [{ fromMs: -1, toMs: 5_000 }] })).toEqual([])
  const erasures = [{ customer: 'ann', askedAtMs: 5_000, doneAtMs: 6_000 }]
  expect(details({ posted: two, samples, erasures })).toEqual([])
})

test('a number that says how old it is may lack later elements, and nothing else', () => {
  const outcome = (acknowledgedAtMs: number) =>
    details({
      posted: two.map((e) => ({ ...e, acknowledgedAtMs })),
      samples: shows(0).map((sample) => ({ ...sample, ageMs: 4_000 })),
    })
  expect(outcome(5_001)).toEqual([])
  expect(outcome(5_000)).toEqual(['status at 10000: 0, 2 wait'])
})
