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

  it('isolates 3 of 1,000 with at most 40 requests, whatever the hint says', () => {
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
      fc.property(fc.integer({ min: 0, max: 999 }), (bad) => {
        expect(run(1_000, new Set([bad]), exactHint).requests).toBeLessThanOrEqual(3)
      }),
    )
  })

  it('needs few requests per element when nearly all are bad', () => {
    const all = new Set(Array.from({ length: 1_000 }, (_, i) => i))
    expect(run(1_000, all, noHint).requests).toBeLessThanOrEqual(1_100)
    const odd = new Set([...all].filter((i) => i % 2 === 1))
    expect(run(1_000, odd, noHint).requests).toBeLessThanOrEqual(2_100)
  })
})
