import fc from 'fast-check'
import {
  type Ceiling,
  explains413,
  forgetUnproven,
  isInDoubt,
  onBodyAccepted,
  onBodyRefused,
  readCeiling,
  unknownCeiling,
} from '../../src/gate/ceiling.js'

const LIMIT = 128_000
const SMALLEST = 1_024
const HOUR_MS = 3_600_000

/** Sends full bodies (or, by `fill`, nearly full ones) to a server that takes `truth` bytes. */
function send(
  start: Ceiling,
  {
    truth,
    requests,
    nowMs = 0,
    stepMs = 100,
    fill = () => 1,
  }: {
    truth: number
    requests: number
    nowMs?: number
    stepMs?: number
    fill?: (i: number) => number
  },
): { ceiling: Ceiling; refusals: number } {
  let ceiling = start
  let refusals = 0
  for (let i = 0; i < requests; i++) {
    const now = nowMs + i * stepMs
    const bodyBytes = Math.max(1, Math.floor(ceiling.bytes * fill(i)))
    expect(bodyBytes).toBeLessThanOrEqual(LIMIT)
    if (bodyBytes > truth) refusals += 1
    const next =
      bodyBytes > truth
        ? onBodyRefused(ceiling, bodyBytes, now)
        : onBodyAccepted(ceiling, bodyBytes, { limitBytes: LIMIT, nowMs: now })
    ceiling = readCeiling(JSON.stringify(next), LIMIT)
  }
  return { ceiling, refusals }
}

it('a ceiling of 60,000 below 128,000 is learnt with at most 8 refusals, to within 4 %', () => {
  const { ceiling, refusals } = send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 })
  expect(refusals).toBeLessThanOrEqual(8)
  expect(ceiling.bytes).toBeGreaterThan(57_600)
  expect(ceiling.bytes).toBeLessThanOrEqual(60_000)
})

it('any ceiling is learnt with few refusals and then kept to', () => {
  const fills = fc.array(fc.double({ min: 0.93, max: 1, noNaN: true }), {
    minLength: 100,
    maxLength: 100,
  })
  fc.assert(
    fc.property(fc.integer({ min: 1_100, max: LIMIT }), fills, (truth, fill) => {
      const first = send(unknownCeiling(LIMIT), { truth, requests: 100, fill: (i) => fill[i] ?? 1 })
      expect(first.refusals).toBeLessThanOrEqual(16)
      expect(first.ceiling.bytes).toBeGreaterThan(Math.min(truth * 0.8, truth - 4_096))
      const after = send(first.ceiling, { truth, requests: 100, nowMs: 10_000 })
      expect(after.refusals).toBeLessThanOrEqual(6)
    }),
    { numRuns: 60, endOnFailure: true },
  )
})

it('is learnt with few refusals although many bodies are in progress and answers come late', () => {
  const run = fc.record({
    truth: fc.integer({ min: 1_100, max: LIMIT }),
    atOnce: fc.integer({ min: 1, max: 8 }),
    picks: fc.array(fc.nat({ max: 7 }), { minLength: 400, maxLength: 400 }),
  })
  fc.assert(
    fc.property(run, ({ truth, atOnce, picks }) => {
      let ceiling = unknownCeiling(LIMIT)
      let refusals = 0
      const underWay: number[] = []
      for (const [i, pick] of picks.entries()) {
        const onTrial = underWay.some((bodyBytes) => isInDoubt(ceiling, bodyBytes))
        const mayStart = !onTrial || !isInDoubt(ceiling, ceiling.bytes)
        if (underWay.length < atOnce && mayStart) underWay.push(ceiling.bytes)
        const [answered] = pick < underWay.length ? underWay.splice(pick, 1) : []
        if (answered === undefined) continue
        if (answered > truth) refusals += 1
        ceiling =
          answered > truth
            ? onBodyRefused(ceiling, answered, i)
            : onBodyAccepted(ceiling, answered, { limitBytes: LIMIT, nowMs: i })
      }
      // As many as were in progress when the first was refused, seven halvings one at a time, and as many
      // again where the sizes accepted and refused are close.
      expect(refusals).toBeLessThanOrEqual(2 * atOnce + 7)
    }),
    { numRuns: 300 },
  )
})

it('while none was accepted, every size is in doubt, small ones too', () => {
  const refused = onBodyRefused(unknownCeiling(LIMIT), 8_000, 0)
  expect([300, 4_000].map((bytes) => isInDoubt(refused, bytes))).toEqual([true, true])
  const known = onBodyAccepted(refused, 300, { limitBytes: LIMIT, nowMs: 0 })
  expect([4_396, 4_397].map((bytes) => isInDoubt(known, bytes))).toEqual([false, true])
})

it('a body that was refused is followed by a smaller one, but no ceiling is believed below 1,024 bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 2, max: LIMIT }), { minLength: 1 }), (sizes) => {
      let ceiling = unknownCeiling(LIMIT)
      for (const size of sizes) {
        const bodyBytes = Math.min(size, ceiling.bytes)
        ceiling = onBodyRefused(ceiling, bodyBytes, 0)
        if (bodyBytes > SMALLEST) expect(ceiling.bytes).toBeLessThan(bodyBytes)
        expect(ceiling.bytes).toBeGreaterThanOrEqual(SMALLEST)
      }
    }),
  )
})

it('a 413 is about a small body only if a smaller one was accepted since, and none as large of late', () => {
  const refused = onBodyRefused(unknownCeiling(LIMIT), 10_000, 0)
  const explained = (ceiling: Ceiling, sizes: readonly number[], recent = 0) =>
    sizes.map((bytes) => explains413(ceiling, bytes, recent))
  expect(explained(refused, [300, 16_384, 16_385])).toEqual([false, false, true])
  const known = onBodyAccepted(refused, 4_000, { limitBytes: LIMIT, nowMs: 0 })
  expect(explained(known, [300, 4_000, 4_001])).toEqual([false, false, true])
  expect(explained(known, [4_001, 9_000, 9_001], 9_000)).toEqual([false, false, true])
  expect(forgetUnproven(refused, LIMIT)).toEqual(unknownCeiling(LIMIT))
  expect(forgetUnproven(known, LIMIT)).toBe(known)
})

it('without a refusal nothing is learnt, and the configured limit holds', () => {
  const { ceiling, refusals } = send(unknownCeiling(LIMIT), { truth: LIMIT, requests: 50 })
  expect([ceiling, refusals]).toEqual([unknownCeiling(LIMIT), 0])
})

it('small bodies neither raise nor lower it', () => {
  const learnt = send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 }).ceiling
  const small = onBodyAccepted(learnt, 500, { limitBytes: LIMIT, nowMs: 50 * HOUR_MS })
  expect(small).toBe(learnt)
})

it('looks upward about once an hour at first, later once a day', () => {
  const learnt = send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 }).ceiling
  const soon = send(learnt, { truth: 60_000, requests: 30, nowMs: 20_000, stepMs: 60_000 })
  expect(soon.refusals).toBe(0)
  const week = send(learnt, { truth: 60_000, requests: 7 * 24 * 60, nowMs: 20_000, stepMs: 60_000 })
  expect(week.refusals).toBeLessThanOrEqual(14)
  expect(week.refusals).toBeGreaterThanOrEqual(7)
  expect(week.ceiling.bytes).toBeGreaterThan(55_000)
})

it('climbs back to the limit when MoEngage allows it again', () => {
  const learnt = send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 }).ceiling
  const later = send(learnt, { truth: LIMIT, requests: 200, nowMs: HOUR_MS, stepMs: 60_000 })
  expect(later).toMatchObject({ refusals: 0, ceiling: { bytes: LIMIT, refusedBytes: null } })
})

it('follows MoEngage down when a size that was taken is refused', () => {
  const learnt = send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 }).ceiling
  const lower = send(learnt, { truth: 20_000, requests: 100, nowMs: 20_000 })
  expect(lower.ceiling.bytes).toBeGreaterThan(16_000)
  expect(lower.ceiling.bytes).toBeLessThanOrEqual(20_000)
})

it('a configured limit below what was learnt wins, and an unreadable store is no knowledge', () => {
  const learnt = JSON.stringify(
    send(unknownCeiling(LIMIT), { truth: 60_000, requests: 100 }).ceiling,
  )
  expect(readCeiling(learnt, 10_000).bytes).toBe(10_000)
  for (const json of [null, '', '{', 'null', '{"version":7}']) {
    expect(readCeiling(json, LIMIT)).toEqual(unknownCeiling(LIMIT))
  }
})
