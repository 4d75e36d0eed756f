import fc from 'fast-check'
import {
  type Bisection,
  isBisected,
  onAccepted,
  onRefused,
  startBisection,
  type Suspects,
} from '../../src/retry/bisect.js'

interface Run {
  readonly delivered: number[]
  readonly dead: number[]
  /** Requests after the first, refused one. */
  readonly requests: number
}

/** A server that refuses every batch with a bad element, and the loop that a dispatcher runs. */
function run(count: number, bad: ReadonlySet<number>, hint: (refused: number[]) => Suspects): Run {
  const delivered: number[] = []
  const dead: number[] = []
  let requests = 0
  const all = Array.from({ length: count }, (_, i) => i)
  const badIn = (indexes: number[]): number[] => indexes.filter((index) => bad.has(index))
  let bisection: Bisection = startBisection(count, hint(badIn(all)))
  while (!isBisected(bisection)) {
    const sent = all.slice(bisection.next.start, bisection.next.end)
    requests += 1
    if (requests > 20 * count) throw new Error('does not end')
    bisection = JSON.parse(JSON.stringify(bisection)) as Bisection
    if (badIn(sent).length === 0) {
      delivered.push(...sent)
      bisection = onAccepted(bisection)
      continue
    }
    const step = onRefused(bisection, hint(badIn(sent)))
    if (step.step === 'dead_letter') dead.push(step.index)
    bisection = step.bisection
  }
  return { delivered, dead, requests }
}

const noHint = (): Suspects => () => false
/** MoEngage names the first bad element in a way that only it fits. */
const exactHint =
  (refused: number[]): Suspects =>
  (index) =>
    index === refused[0]

const batch = fc.integer({ min: 2, max: 300 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    bad: fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { minLength: 1 }),
    hinted: fc.array(fc.integer({ min: 0, max: count - 1 }), { maxLength: 6 }),
  }),
)

describe('a bisection', () => {
  it('dead-letters exactly the bad elements and delivers the others, each once and in order', () => {
    fc.assert(
      fc.property(batch, ({ count, bad, hinted }) => {
        const set = new Set(bad)
        const hint = (): Suspects => (index) => hinted.includes(index)
        const { delivered, dead } = run(count, set, hint)
        expect(dead).toEqual([...set].sort((a, b) => a - b))
        expect(delivered).toEqual(
          Array.from({ length: count }, (_, i) => i).filter((i) => !set.has(i)),
        )
      }),
    )
  })

  it('isolates 3 of 1,000 with at most 40 requests, for any hint', () => {
    const three = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 3, maxLength: 3 })
    const hinted = fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 5 })
    fc.assert(
      fc.property(three, hinted, (bad, wrong) => {
        const plain = run(1_000, new Set(bad), noHint)
        const misled = run(1_000, new Set(bad), () => (index) => wrong.includes(index))
        expect(plain.requests).toBeLessThanOrEqual(36)
        expect(misled.requests).toBeLessThanOrEqual(40)
      }),
      { numRuns: 300 },
    )
  })

  it('needs 3 requests for an element that the hint singles out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), (bad) =>
        expect(run(1_000, new Set([bad]), exactHint).requests).toBeLessThanOrEqual(3),
      ),
    )
  })

  it('needs few requests per element when nearly all are bad', () => {
    const all = new Set(Array.from({ length: 1_000 }, (_, i) => i))
    expect(run(1_000, all, noHint).requests).toBeLessThanOrEqual(1_100)
    const odd = new Set([...all].filter((i) => i % 2 === 1))
    expect(run(1_000, odd, noHint).requests).toBeLessThanOrEqual(2_100)
  })
})

describe('a plan', () => {
  /** Its next request. */
  const next = (plan: Bisection) => [plan.next.start, plan.next.end]
  const hints =
    (...indexes: number[]): Suspects =>
    (index) =>
      indexes.includes(index)
  const refusedAlone = (plan: Bisection, suspects?: Suspects): Bisection => {
    const step = onRefused(plan, suspects)
    expect(step).toMatchObject({ step: 'dead_letter', index: plan.next.start })
    return step.bisection
  }
  const refusedTogether = (plan: Bisection, suspects?: Suspects): Bisection => {
    const step = onRefused(plan, suspects)
    expect(step.step).toBe('send')
    return step.bisection
  }

  it('halves what nothing is known of, and what is left of a bad group', () => {
    const first = startBisection(100)
    expect(next(first)).toEqual([0, 50])
    const second = onAccepted(first)
    expect(next(second)).toEqual([50, 75])
    expect(next(refusedTogether(second))).toEqual([50, 63])
    expect(next(onAccepted(second))).toEqual([75, 88])
  })

  it('sets a lone suspect apart, and sends the rest at once when it was bad', () => {
    const before = startBisection(100, hints(70))
    expect(next(before)).toEqual([0, 70])
    const alone = onAccepted(before)
    expect(next(alone)).toEqual([70, 71])
    expect(next(refusedAlone(alone))).toEqual([71, 100])
  })

  it('begins with a suspect that comes first', () => {
    expect(next(startBisection(100, hints(0)))).toEqual([0, 1])
    expect(next(startBisection(2, hints(1)))).toEqual([0, 1])
  })

  it('halves up to four suspects, and takes no notice of more', () => {
    const four = startBisection(100, hints(10, 20, 60, 80))
    expect(next(four)).toEqual([0, 60])
    expect(next(onAccepted(four))).toEqual([60, 80])
    expect(next(refusedTogether(four, hints(10, 20)))).toEqual([0, 20])
    expect(next(startBisection(100, hints(10, 20, 30, 60, 80)))).toEqual([0, 50])
    expect(next(startBisection(100, hints(10, 20, 60, 80, 100)))).toEqual([0, 60])
  })

  it('trusts no words any more once a lone suspect was fine', () => {
    const cleared = onAccepted(onAccepted(startBisection(100, hints(70))))
    expect(next(cleared)).toEqual([71, 86])
    const again = refusedTogether(cleared, hints(80))
    expect(next(again)).toEqual([71, 79])
    const rest = refusedAlone({ ...again, next: { start: 71, end: 72 } })
    expect(next(refusedTogether(rest, hints(80)))).toEqual([72, 86])
  })

  it('trusts them still when a suspect among others was fine', () => {
    const two = startBisection(100, hints(10, 70))
    expect(next(two)).toEqual([0, 70])
    expect(next(onAccepted(two))).toEqual([70, 71])
  })

  it('trusts no words any more once a group without a suspect was bad', () => {
    const misled = refusedTogether(startBisection(100, hints(70)), hints(5))
    expect(next(misled)).toEqual([0, 35])
    const right = refusedTogether(startBisection(100, hints(10, 70)), hints(5))
    expect(next(right)).toEqual([0, 5])
    const without = refusedTogether(startBisection(100), hints(5))
    expect(next(without)).toEqual([0, 5])
    // A suspect at the end of the group is no part of it.
    const after = refusedTogether(startBisection(100, hints(50)), hints(5))
    expect(next(after)).toEqual([0, 25])
  })

  it('continues after a lone element that was known to be bad and is fine now', () => {
    const half = refusedTogether(startBisection(4))
    expect(next(half)).toEqual([0, 1])
    const last = onAccepted(half)
    expect(next(last)).toEqual([1, 2])
    expect(next(onAccepted(last))).toEqual([2, 4])
  })

  it('takes the rest to be as bad as what was seen, from four bad ones on', () => {
    /** One bad element in ten, each found at once. */
    const found = (bad: number): Bisection => {
      let plan = startBisection(1_000, hints(9))
      for (let n = 1; n <= bad; n += 1) {
        if (n > 1) plan = refusedTogether(plan, hints(10 * n - 1))
        plan = refusedAlone(onAccepted(plan))
      }
      return plan
    }
    expect(next(found(3))).toEqual([30, 1_000])
    const four = found(4)
    expect(next(four)).toEqual([40, 50])
    const fine = onAccepted(four)
    expect(next(fine)).toEqual([50, 70])
    expect(next(onAccepted(fine))).toEqual([70, 110])
    let worse = startBisection(1_000)
    for (let n = 0; n < 4; n += 1) {
      while (worse.next.end - worse.next.start > 1) worse = refusedTogether(worse)
      worse = refusedAlone(worse)
    }
    expect(next(worse)).toEqual([4, 5])
  })
})
