import { judge } from './judge.js'
import type { Evidence, VendorRequest } from './model.js'
import { arrivals, disturbance, evidence, LIMITS, posted, request } from './evidence.js'

const broken = (facts: Partial<Evidence>) => [
  ...new Set(judge(evidence(facts)).violations.map(({ law }) => law)),
]

/** What arrived of one customer's elements 1 to 5, with a fault that explains every repetition. */
const sequence = (...seqs: number[]) =>
  broken({
    posted: posted('ann', 5),
    arrived: arrivals('ann', seqs),
    requests: [request()],
    disturbances: [disturbance()],
  })

test('accepts what was delivered once and in order', () =>
  expect(sequence(1, 2, 3, 4, 5)).toEqual([]))

test.each([
  [[1, 2, 3, 4, 5, 1, 2, 3, 4, 5]],
  [[1, 2, 3, 2, 3, 4, 5]],
  [[1, 2, 3, 3, 4, 5]],
  // Interrupted twice on the way.
  [[1, 2, 3, 4, 1, 2, 1, 2, 3, 4, 5]],
])('accepts redelivery of a contiguous run up to the newest: %p', (seqs) =>
  expect(sequence(...seqs)).toEqual([]),
)

test.each([
  [[1, 2, 3, 5], 'nothing acknowledged is missing'],
  [[], 'nothing acknowledged is missing'],
  [[1, 3, 2, 4, 5], 'first deliveries are in order'],
  [[2, 1, 3, 4, 5], 'first deliveries are in order'],
  [[1, 2, 3, 1, 3, 4, 5], 'redelivery is a contiguous run'],
  [[1, 2, 3, 1, 4, 5], 'redelivery is a contiguous run'],
  [[1, 2, 3, 4, 5, 2], 'redelivery is a contiguous run'],
  [[1, 2, 3, 4, 5, 2], 'the last value wins'],
  [[1, 2, 3, 4, 5, 6], 'nothing is delivered that was never posted'],
] as const)('finds in %p that it breaks "%s"', (seqs, law) =>
  expect(sequence(...seqs)).toContain(law),
)

test('does not ask for what was never acknowledged, and keeps it in its place', () => {
  const elements = posted('ann', 3).map((e) => ({ ...e, acknowledged: e.seq !== 2 }))
  const outcome = (...seqs: number[]) =>
    broken({ posted: elements, arrived: arrivals('ann', seqs), requests: [request()] })
  expect(outcome(1, 3)).toEqual([])
  expect(outcome(1, 2, 3)).toEqual([])
  expect(outcome(1, 3, 2)).toContain('first deliveries are in order')
})

test('an element of another kind than posted was never posted', () => {
  expect(broken({ posted: posted('ann', 1, 'event'), arrived: arrivals('ann', [1]) })).toContain(
    'nothing is delivered that was never posted',
  )
})

describe('duplicates', () => {
  const twice = [...arrivals('ann', [1], 'r1'), ...arrivals('ann', [1], 'r2')]
  const second = request({ requestId: 'r2', startedAtMs: 5_000, endedAtMs: 5_020 })
  const outcome = (facts: Partial<Evidence>) =>
    judge(evidence({ posted: posted('ann', 1), arrived: twice, ...facts }))

  test('without a cause break the law', () => {
    const { violations } = outcome({ requests: [request(), second] })
    expect(violations.map(({ law }) => law)).toEqual(['duplicates have a cause'])
  })

  test('after a fault that cannot cause them break the law', () => {
    const { violations } = outcome({
      requests: [request(), second],
      disturbances: [disturbance({ loses: 'nothing' })],
    })
    expect(violations.map(({ law }) => law)).toEqual(['duplicates have a cause'])
  })

  test('long after a fault break the law', () => {
    const { violations } = outcome({
      requests: [request({ startedAtMs: 60_000, arrivedAtMs: 60_010, endedAtMs: 60_020 }), second],
      disturbances: [disturbance()],
    })
    expect(violations.map(({ law }) => law)).toEqual(['duplicates have a cause'])
  })

  test.each([
    // The whole answer went to the worker: only its settle can be lost.
    [{ status: 200, answeredAtMs: 20 }, 'answers', false],
    [{ status: 200, answeredAtMs: 20 }, 'settles', true],
    [{ status: 200, answeredAtMs: 20, fault: 'vendor-drip' }, 'answers', false],
    [{ status: 200, answeredAtMs: 20, fault: 'vendor-drip' }, 'settles', true],
    // MoEngage answered, and the worker's connection never got it.
    [{ status: 200 }, 'answers', true],
    [{ status: 200 }, 'settles', false],
    [{ status: 200, fault: 'vendor-drip' }, 'nothing', true],
    // The connection ended before, by a cut or with the lease.
    [{ status: null }, 'answers', true],
    [{ status: null }, 'settles', true],
    // A process that dies loses both, whichever of them is named.
    [{ status: 200 }, 'both', true],
    [{ status: 200, answeredAtMs: 20 }, 'both', true],
  ] as const)('of %p are explained by a fault that loses %s: %p', (facts, loses, isExplained) => {
    const { violations } = outcome({
      requests: [request(facts), second],
      disturbances: [disturbance({ loses })],
    })
    expect(violations.length === 0).toBe(isExplained)
  })

  test.each([
    ['settles', 0, 2_900, false],
    ['claims', 0, 2_900, true],
    ['claims', -3_000, -2_000, false],
  ] as const)(
    'answered after a fault that loses %s and lasted from %d to %d are explained: %p',
    (loses, fromMs, toMs, isExplained) => {
      const { violations } = outcome({
        requests: [request({ startedAtMs: 0, endedAtMs: 4_000, answeredAtMs: 4_000 }), second],
        requestTimeoutMs: 10_000,
        disturbances: [disturbance({ loses, fromMs, toMs })],
      })
      expect(violations.length === 0).toBe(isExplained)
    },
  )

  test('are counted for the fault that MoEngage played, or else for the latest near', () => {
    const played = outcome({ requests: [request({ fault: 'vendor-garbage' }), second] })
    expect([...played.duplicates]).toEqual([['vendor-garbage', 1]])
    const killed = outcome({
      requests: [request(), second],
      disturbances: [disturbance({ name: 'a' }), disturbance({ name: 'b', fromMs: 5 })],
    })
    expect([...killed.duplicates]).toEqual([['b', 1]])
  })
})

describe('one request at a time per customer', () => {
  const LAW = 'one request at a time per customer'
  const first = request({ startedAtMs: 0, arrivedAtMs: 10, endedAtMs: 100 })
  const at = (startedAtMs: number, customers = ['ann']) =>
    request({
      requestId: 'r2',
      startedAtMs,
      arrivedAtMs: startedAtMs + 5,
      endedAtMs: 200,
      customers,
    })

  test('finds requests that overlap, for any outcomes', () => {
    expect(broken({ requests: [first, at(50)] })).toEqual([LAW])
    expect(broken({ requests: [{ ...first, fate: 'refused' }, at(99)] })).toEqual([LAW])
    expect(broken({ requests: [{ ...first, endedAtMs: null }, at(9_000)] })).toEqual([LAW])
  })

  test('accepts requests one after the other, or of other customers', () => {
    expect(broken({ requests: [first, at(100)] })).toEqual([])
    expect(broken({ requests: [first, at(50, ['bob'])] })).toEqual([])
  })

  test('finds an overlap with a long request behind a short one', () => {
    const short = request({ requestId: 's', startedAtMs: 5, endedAtMs: 6, customers: ['bob'] })
    expect(broken({ requests: [first, short, at(50)] })).toEqual([LAW])
  })

  test('while relay is frozen, counts a request until its arrival', () => {
    const frozen = [disturbance({ mayLinger: true, fromMs: 20, toMs: 30 })]
    expect(broken({ requests: [first, at(50)], disturbances: frozen })).toEqual([])
    expect(broken({ requests: [first, at(9)], disturbances: frozen })).toEqual([LAW])
  })
})

describe('both windows hold', () => {
  const of = (...costs: readonly (readonly [number, number, number, number])[]) =>
    broken({
      requests: costs.map(([atMs, users, events, devices], i) =>
        request({
          ...{ requestId: String(i), customers: [], startedAtMs: atMs, arrivedAtMs: atMs },
          cost: { users, events, devices },
        }),
      ),
    })
  const { users, events, windowMs } = LIMITS

  test.each(['both windows hold'])('"%s" breaks by one unit in a sliding window', (law) => {
    expect(of([0, users, 0, 0], [windowMs - 1, 1, 0, 0])).toEqual([law])
    expect(of([0, 0, events, 0], [windowMs - 1, 0, 1, 0])).toEqual([law])
    expect(of([0, users, 0, 0], [1, 0, 0, 1])).toEqual([law])
  })

  test('holds when the oldest has just left it', () =>
    expect(of([0, users, events, 0], [windowMs, users, events, 0])).toEqual([]))
})

test('finds a body over the limit by one byte', () => {
  expect(broken({ requests: [request({ bytes: LIMITS.bodyBytes })] })).toEqual([])
  expect(broken({ requests: [request({ bytes: LIMITS.bodyBytes + 1 })] })).toEqual([
    'bodies are within the limit',
  ])
})

describe('dead letters', () => {
  const elements = posted('ann', 2).map((e) => ({ ...e, poison: e.seq === 1 }))
  const arrived = arrivals('ann', [2])

  test('are poison, all of it', () => {
    const deadLetters = [{ customer: 'ann', seq: 1 }]
    expect(broken({ posted: elements, arrived, deadLetters })).toEqual([])
    expect(broken({ posted: elements, arrived })).toEqual(['nothing acknowledged is missing'])
  })

  test('are nothing else', () => {
    const deadLetters = [1, 2].map((seq) => ({ customer: 'ann', seq }))
    expect(broken({ posted: elements, arrived, deadLetters })).toEqual([
      'only poison is dead-lettered',
    ])
  })
})

describe('a Redis that came back as it was before', () => {
  const forgets = [{ fromMs: 1_000, toMs: 2_000 }]
  const requests = [
    request({ requestId: 'before', startedAtMs: 1_500, arrivedAtMs: 1_510, endedAtMs: 1_520 }),
    request({ requestId: 'after', startedAtMs: 2_500, arrivedAtMs: 2_510, endedAtMs: 2_520 }),
  ]
  const disturbances = [disturbance({ fromMs: 1_000, toMs: 2_000 })]
  const elements = posted('ann', 4).map((e) => {
    const atMs = e.seq === 3 ? 1_400 : 0
    return { ...e, postedAtMs: atMs, acknowledgedAtMs: atMs }
  })
  const facts = { posted: elements, forgets, requests, disturbances }

  test('may have lost what it took since, and sends again from there', () => {
    const arrived = [
      ...arrivals('ann', [1, 2, 3], 'before'),
      ...arrivals('ann', [1, 2, 4], 'after'),
    ]
    expect(broken({ ...facts, arrived })).toEqual([])
    const lost = [...arrivals('ann', [1, 2], 'before'), ...arrivals('ann', [4], 'after')]
    expect(broken({ ...facts, arrived: lost })).toEqual([])
  })

  test('must not lose what it had before, nor send it out of order', () => {
    const lost = [...arrivals('ann', [1, 2, 3], 'before')]
    expect(broken({ ...facts, arrived: lost })).toContain('nothing acknowledged is missing')
    const turned = [...arrivals('ann', [1, 2, 3], 'before'), ...arrivals('ann', [2, 1, 4], 'after')]
    expect(broken({ ...facts, arrived: turned })).toContain('redelivery is a contiguous run')
  })
})

test('an attempt that outlasted the request timeout explains its repetition, a shorter one does not', () => {
  const repeated = (fate: Partial<VendorRequest>) =>
    broken({
      posted: posted('ann', 1),
      arrived: [...arrivals('ann', [1], 'r1'), ...arrivals('ann', [1], 'r2')],
      requests: [
        request({ requestId: 'r1', ...fate }),
        request({ requestId: 'r2', startedAtMs: 9_000, arrivedAtMs: 9_010, endedAtMs: 9_020 }),
      ],
    })
  expect(repeated({ endedAtMs: 1_500, status: null })).toEqual([])
  expect(repeated({ endedAtMs: 500, status: null })).toEqual(['duplicates have a cause'])
  // MoEngage answered in time; the network was late with it.
  expect(repeated({ endedAtMs: 100, answeredAtMs: 1_500 })).toEqual([])
  expect(repeated({ endedAtMs: 100, answeredAtMs: 500 })).toEqual(['duplicates have a cause'])
})

test('a request that is processed after its connection closed must not be overtaken by newer elements', () => {
  const requests = [
    request({ requestId: 'r1', startedAtMs: 0, endedAtMs: 10, arrivedAtMs: 500 }),
    request({ requestId: 'r2', startedAtMs: 100, arrivedAtMs: 110, endedAtMs: 120 }),
  ]
  const repeat = [...arrivals('ann', [1], 'r2'), ...arrivals('ann', [1], 'r1')]
  const lingering = [disturbance({ mayLinger: true, fromMs: 0, toMs: 1_000 })]
  const newer = [...arrivals('ann', [1, 2], 'r2'), ...arrivals('ann', [1], 'r1')]
  const law = 'one request at a time per customer'
  const same = { requests, arrived: repeat, posted: posted('ann', 1) }
  expect(broken(same)).not.toContain(law)
  expect(broken({ ...same, disturbances: lingering })).not.toContain(law)
  expect(broken({ requests, arrived: newer, posted: posted('ann', 2) })).toContain(law)
})
