import fc from 'fast-check'
import { advance, type GateEvent, isProbe, mayStart } from '../../src/gate/gate.js'
import { type Gate, HOLD_REASONS, OPEN_GATE, readGate } from '../../src/gate/gate-state.js'

const T0 = 1_000_000
const REFUSED = HOLD_REASONS.filter((reason) => reason !== 'unavailable')
const OTHER = { probeId: null }
const probeStarted = (probeId: string): GateEvent => ({
  type: 'probe_started',
  probeId,
  ttlMs: 10_000,
})
const down = (probeId: string | null = null): GateEvent => ({
  type: 'failed_transient',
  reason: 'server_error',
  probeId,
})

/** Applies events at one moment. */
const after = (gate: Gate, nowMs: number, ...events: GateEvent[]): Gate =>
  events.reduce((state, event) => advance(state, event, nowMs, 0), gate)

/** Lets one leader probe whenever the gate allows; returns when each probe went, from T0. */
function probeTimes(
  start: Gate,
  answer: (probeId: string) => GateEvent,
  untilMs: number,
): number[] {
  const times: number[] = []
  let gate = start
  let nowMs = T0
  while (nowMs - T0 <= untilMs) {
    const may = mayStart(gate, nowMs)
    if (!may.go) {
      nowMs += may.waitMs
      continue
    }
    if (!may.probe) break
    times.push(nowMs - T0)
    gate = after(gate, nowMs, probeStarted('p'), answer('p'))
  }
  return times
}

describe('a server error', () => {
  it('stops new sends, and one leader tries every 2 s at most 5 times, then gentler and gentler', () => {
    const times = probeTimes(after(OPEN_GATE, T0, down()), down, 40_000)
    expect(times.slice(0, 5)).toEqual([2_000, 4_000, 6_000, 8_000, 10_000])
    expect(times.slice(5, 9)).toEqual([12_000, 15_000, 19_500, 26_250])
  })

  it('holds the workspace after the fifth retry, and probes at least once a minute for days', () => {
    const times = probeTimes(after(OPEN_GATE, T0, down()), down, 86_400_000)
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    expect(Math.max(...pauses)).toBe(60_000)
    expect(times.length).toBeLessThan(1_500)
  })

  it('costs at most 60 requests in an outage of 15 s, with 40 in progress at its start', () => {
    let gate = OPEN_GATE
    for (let i = 0; i < 40; i++) gate = after(gate, T0 + i, down())
    expect(40 + probeTimes(gate, down, 15_000).length).toBeLessThanOrEqual(60)
  })

  it('of an older request neither counts as a retry nor disturbs the leader', () => {
    const retrying = after(OPEN_GATE, T0, down())
    expect(after(retrying, T0 + 100, down(), down('stranger'))).toEqual(retrying)
  })

  it('ends with the first success', () => {
    const gate = after(OPEN_GATE, T0, down())
    const probing = after(gate, T0 + 2_000, probeStarted('p'))
    expect(after(probing, T0 + 2_100, { type: 'succeeded', probeId: 'p' })).toEqual(OPEN_GATE)
  })
})

describe('a refusal', () => {
  const refuse =
    (reason: (typeof REFUSED)[number]) =>
    (probeId: string | null): GateEvent => ({ type: 'refused_for', reason, probeId })

  it.each([
    ['credentials_refused', [1_000, 2_500, 4_750, 8_125]],
    ['misconfigured', [1_000, 2_500, 4_750, 8_125]],
    ['wrong_host', [2_000, 5_000, 9_500, 16_250]],
    ['ip_refused', [2_000, 5_000, 9_500, 16_250]],
    ['wrong_request', [2_000, 5_000, 9_500, 16_250]],
    ['everything_refused', [2_000, 5_000, 9_500, 16_250]],
    ['some_refused', [2_000, 5_000, 9_500, 16_250]],
    ['account_refused', [5_000, 15_000, 35_000, 75_000]],
  ] as const)('%s holds the workspace and is probed at %j', (reason, expected) => {
    const event = refuse(reason)
    expect(probeTimes(after(OPEN_GATE, T0, event(null)), event, 80_000).slice(0, 4)).toEqual(
      expected,
    )
  })

  it('of everything ends with an acceptance, not with an answer that refuses other elements', () => {
    const event = refuse('everything_refused')
    const held = after(OPEN_GATE, T0, event(null))
    const judged = (probeId: string | null): GateEvent => ({
      type: 'succeeded',
      probeId,
      nothingAccepted: true,
    })
    expect(after(held, T0, judged(null))).toEqual(held)
    const probed = after(held, T0 + 2_000, probeStarted('p'), judged('p'))
    expect(probed).toEqual(held)
    expect(mayStart(probed, T0 + 2_000)).toEqual({ go: true, probe: true })
    expect(after(held, T0, { type: 'succeeded', ...OTHER }).mode.state).toBe('open')
    const other = after(OPEN_GATE, T0, refuse('wrong_host')(null), judged(null))
    expect(other.mode.state).toBe('open')
  })

  it('of some elements lets one untried element pass at once, also after the first; of everything one every 2 s', () => {
    const untried = { isUntried: true }
    const start = (probeId: string): GateEvent => ({ ...probeStarted(probeId), ...untried })
    const some = after(OPEN_GATE, T0, refuse('some_refused')(null))
    expect(mayStart(some, T0, untried)).toEqual({ go: true, probe: true })
    expect(mayStart(some, T0)).toMatchObject({ go: false })
    const probing = after(some, T0, start('p'))
    expect(mayStart(probing, T0, untried)).toMatchObject({ go: false })
    const all = after(probing, T0, refuse('everything_refused')('p'))
    expect(mayStart(all, T0, untried)).toMatchObject({ go: false })
    expect(after(all, T0, start('q'))).toEqual(all)
    // The refused ones wait longer and longer for their probes.
    const again = (gate: Gate, atMs: number) =>
      after(after(gate, atMs, probeStarted('r')), atMs, refuse('everything_refused')('r'))
    const later = again(again(again(all, T0 + 10_000), T0 + 30_000), T0 + 60_000)
    expect(mayStart(later, T0 + 62_000)).toMatchObject({ go: false })
    expect(mayStart(later, T0 + 61_999, untried)).toMatchObject({ go: false })
    expect(mayStart(later, T0 + 62_000, untried)).toEqual({ go: true, probe: true })
  })

  it('is probed at once when the configuration changed', () => {
    const event = refuse('credentials_refused')
    let gate = after(OPEN_GATE, T0, event(null))
    gate = after(gate, T0 + 1_000, probeStarted('a'), event('a'), { type: 'config_changed' })
    expect(mayStart(gate, T0 + 1_000)).toEqual({ go: true, probe: true })
  })

  it('of a probe with the old configuration costs no wait', () => {
    const event = refuse('credentials_refused')
    const gate = after(OPEN_GATE, T0, event(null))
    const changed = after(gate, T0 + 1_000, probeStarted('a'), { type: 'config_changed' })
    expect(mayStart(changed, T0 + 1_001)).toMatchObject({ go: false })
    expect(mayStart(after(changed, T0 + 1_200, event('a')), T0 + 1_200)).toMatchObject({ go: true })
  })

  it('takes the reason of the latest probe', () => {
    const gate = after(OPEN_GATE, T0, refuse('credentials_refused')(null))
    const again = after(gate, T0 + 1_000, probeStarted('a'), down('a'))
    expect(again.mode).toMatchObject({ state: 'held', reason: 'unavailable', sinceMs: T0 })
    expect(again.mode).toHaveProperty('cause')
    const refusedAgain = after(again, T0 + 60_000, probeStarted('b'), refuse('wrong_host')('b'))
    expect(refusedAgain.mode).toMatchObject({ state: 'held', reason: 'wrong_host' })
    expect(refusedAgain.mode).not.toHaveProperty('cause')
  })
})

describe('a 429', () => {
  const limited = (retryAfterMs: number | null, probeId: string | null = null): GateEvent => ({
    type: 'rate_limited',
    retryAfterMs,
    probeId,
  })

  it.each([1_000, 7_000, 30_000, 3_600_000])('is honoured for exactly its %i ms', (ms) => {
    const gate = after(OPEN_GATE, T0, limited(ms))
    expect(mayStart(gate, T0 + ms - 1)).toEqual({ go: false, waitMs: 1 })
    expect(mayStart(gate, T0 + ms)).toEqual({ go: true, probe: true })
  })

  it('is not lifted by the success of an older request, nor by a new configuration', () => {
    const gate = after(OPEN_GATE, T0, limited(7_000))
    expect(
      after(gate, T0 + 10, { type: 'succeeded', ...OTHER }, { type: 'config_changed' }),
    ).toEqual(gate)
  })

  it('among several counts with the longest named pause', () => {
    const gate = after(OPEN_GATE, T0, limited(2_000), limited(7_000), limited(1_000), limited(null))
    expect(mayStart(gate, T0)).toEqual({ go: false, waitMs: 7_000 })
  })

  it('without Retry-After backs off with doubling pauses up to a minute', () => {
    const event = (id: string): GateEvent => limited(null, id)
    const times = probeTimes(after(OPEN_GATE, T0, limited(null)), event, 300_000)
    const pauses = times.map((time, i) => time - (times[i - 1] ?? 0))
    expect(pauses.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('spreads such pauses by chance, upward only', () => {
    const gate = advance(OPEN_GATE, limited(null), T0, 0.999)
    expect(mayStart(gate, T0)).toEqual({ go: false, waitMs: 1_250 })
  })
})

describe('an operator', () => {
  it('pauses and resumes in any state', () => {
    const paused = after(OPEN_GATE, T0, { type: 'paused' }, down(), { type: 'succeeded', ...OTHER })
    expect(mayStart(paused, T0)).toMatchObject({ go: false })
    expect(mayStart(after(paused, T0, { type: 'resumed' }), T0)).toEqual({ go: true, probe: false })
  })
})

describe('a probe', () => {
  it('goes to the first that asks; the others find another id', () => {
    const gate = after(OPEN_GATE, T0, down())
    const taken = after(gate, T0 + 2_000, probeStarted('a'), probeStarted('b'))
    expect([isProbe(taken, 'a'), isProbe(taken, 'b')]).toEqual([true, false])
    expect(mayStart(taken, T0 + 2_000)).toEqual({ go: false, waitMs: 10_000 })
  })

  it('given back leaves the retry uncounted', () => {
    const gate = after(OPEN_GATE, T0, down())
    const back = after(gate, T0 + 2_000, probeStarted('a'), {
      type: 'probe_released',
      probeId: 'a',
    })
    expect(back.mode).toMatchObject({ state: 'retrying', attempt: 1, probe: null })
    expect(mayStart(back, T0 + 2_500)).toEqual({ go: true, probe: true })
  })

  it('whose worker died is free again after its time', () => {
    const gate = after(OPEN_GATE, T0, down())
    const taken = after(gate, T0 + 2_000, probeStarted('dead'))
    const again = after(taken, T0 + 12_000, probeStarted('b'))
    expect(isProbe(again, 'b')).toBe(true)
    expect(after(taken, T0 + 12_000, { type: 'probe_expired' }).mode).toMatchObject({ probe: null })
    expect(after(taken, T0 + 11_999, { type: 'probe_expired' })).toEqual(taken)
  })
})

describe('what is no news leaves the gate as it is', () => {
  const held = after(OPEN_GATE, T0, { type: 'refused_for', reason: 'wrong_host', probeId: null })
  const probing = after(held, T0 + 2_000, probeStarted('p'))
  const paused = after(OPEN_GATE, T0, { type: 'paused' })

  it.each<[string, Gate, GateEvent]>([
    ['a success while it is open', OPEN_GATE, { type: 'succeeded', ...OTHER }],
    ['a probe that no one needs', OPEN_GATE, probeStarted('q')],
    ['a probe before its time', held, probeStarted('q')],
    ['a second probe', probing, probeStarted('q')],
    ['a probe while it is paused', paused, probeStarted('q')],
    ['an older failure while it is held', held, down()],
    ['an older refusal', held, { type: 'refused_for', reason: 'misconfigured', probeId: null }],
    [
      'an older refusal while it is probed',
      probing,
      { type: 'refused_for', reason: 'misconfigured', probeId: 'q' },
    ],
    ['an older 429 without a time', held, { type: 'rate_limited', retryAfterMs: null, ...OTHER }],
    ['another probe given back', probing, { type: 'probe_released', probeId: 'q' }],
    ['no probe given back', held, { type: 'probe_released', probeId: 'q' }],
    ['no probe to expire', held, { type: 'probe_expired' }],
    ['a new configuration while it is open', OPEN_GATE, { type: 'config_changed' }],
  ])('%s', (_, gate, event) => {
    const next = advance(gate, event, T0 + 2_001 - (gate === held ? 2_000 : 0), 0)
    expect(next).toEqual(gate)
    if (event.type !== 'config_changed') expect(next).toBe(gate)
  })

  it('and no one is the probe where there is none', () => {
    expect([isProbe(OPEN_GATE, 'p'), isProbe(held, 'p')]).toEqual([false, false])
    expect([isProbe(probing, 'p'), isProbe(probing, 'q')]).toEqual([true, false])
  })
})

describe('a 429 whose headers name the reset of the window', () => {
  const limited = (resetMs: number | null, probeId: string | null): GateEvent => {
    return { type: 'rate_limited', retryAfterMs: null, resetMs, probeId }
  }
  /** Pauses after each of several 429s in a row, each to the probe of the one before, ms. */
  function pauses(resetMs: number | null, times: number): number[] {
    let gate = OPEN_GATE
    let nowMs = T0
    return Array.from({ length: times }, (_, i) => {
      const probeId = i === 0 ? null : 'p'
      if (probeId !== null) gate = advance(gate, { type: 'probe_started', probeId, ttlMs: 9_000 }, nowMs, 0) // prettier-ignore
      gate = advance(gate, limited(resetMs, probeId), nowMs, 0)
      const pauseMs = gate.mode.state === 'rate_limited' ? gate.mode.nextProbeAtMs - nowMs : 0
      nowMs += pauseMs
      return pauseMs
    })
  }

  it('waits for the reset, not shorter and not longer', () =>
    expect(pauses(6_000, 1)).toEqual([6_000]))

  it('is asked no sooner than without the headers, and no later than a window, for any values', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (resetMs) => {
        pauses(resetMs, 8).forEach((pauseMs, i) => {
          const without = pauses(null, 8)[i] ?? 0
          expect(pauseMs).toBe(Math.max(without, resetMs))
          expect(pauseMs).toBeLessThanOrEqual(60_000)
        })
      }),
      { numRuns: 100 },
    )
  })

  it('names no time where Retry-After does', () => {
    const event: GateEvent = { type: 'rate_limited', retryAfterMs: 3_000, resetMs: 50_000, probeId: null } // prettier-ignore
    expect(after(OPEN_GATE, T0, event).mode).toMatchObject({ nextProbeAtMs: T0 + 3_000 })
  })
})

describe('a closed gate', () => {
  const limited = (retryAfterMs: number | null, probeId: string | null = null): GateEvent => {
    return { type: 'rate_limited', retryAfterMs, probeId }
  }
  const refused: GateEvent = { type: 'refused_for', reason: 'credentials_refused', probeId: null }

  it.each<[string, Gate, number]>([
    ['its own pause', after(OPEN_GATE, T0, refused), 1_000],
    ['the first pause of a retry', after(OPEN_GATE, T0, down()), 120_000],
    ['a Retry-After', after(OPEN_GATE, T0, limited(3_600_000)), 3_600_000],
    [
      'the longest of several',
      after(OPEN_GATE, T0, refused, limited(200_000), limited(150_000)),
      200_000,
    ],
    ['a probe', after(OPEN_GATE, T0, refused), 300_000],
  ])(
    'keeps no one waiting for more than %s and the five seconds that clocks may differ',
    (name, gate, longestMs) => {
      const probe: GateEvent = { type: 'probe_started', probeId: 'p', ttlMs: 900_000 }
      const given = name === 'a probe' ? after(gate, T0 + 1_000, probe) : gate
      const { mode } = given
      if (mode.state === 'open') throw new Error('is open')
      const readyAtMs = mode.probe?.expiresAtMs ?? mode.nextProbeAtMs
      const askedAtMs = readyAtMs - longestMs - 5_000
      expect(mayStart(given, askedAtMs)).toEqual({ go: false, waitMs: longestMs + 5_000 })
      expect(mayStart(given, askedAtMs - 1)).toEqual({ go: true, probe: true })
    },
  )

  it('is retried as after any failure when the probe after a 429 fails', () => {
    const probing = after(after(OPEN_GATE, T0, limited(1_000)), T0 + 1_000, probeStarted('p'))
    expect(after(probing, T0 + 1_500, down('p')).mode).toEqual({
      state: 'retrying',
      reason: 'server_error',
      sinceMs: T0 + 1_500,
      attempt: 1,
      nextProbeAtMs: T0 + 3_500,
      probe: null,
    })
  })

  it('is held by an older refusal, and the running probe keeps its place', () => {
    const probing = after(after(OPEN_GATE, T0, down()), T0 + 2_000, probeStarted('p'))
    const held = after(probing, T0 + 2_100, refused)
    expect(held.mode).toMatchObject({ state: 'held', reason: 'credentials_refused' })
    expect(isProbe(held, 'p')).toBe(true)
    const own = after(probing, T0 + 2_100, { ...refused, probeId: 'p' })
    expect(own.mode).toMatchObject({ state: 'held', probe: null })
  })

  it('remembers of a 429 just what was asked', () => {
    const mode = { state: 'rate_limited', sinceMs: T0, backoffMs: 1_000, probe: null }
    expect(after(OPEN_GATE, T0, limited(null)).mode).toStrictEqual({
      ...mode,
      nextProbeAtMs: T0 + 1_000,
    })
    expect(after(OPEN_GATE, T0, limited(0)).mode).toStrictEqual({
      ...mode,
      nextProbeAtMs: T0 + 250,
      askedMs: 250,
    })
  })

  it('without a probe has none after the configuration changed', () => {
    for (const gate of [after(OPEN_GATE, T0, refused), after(OPEN_GATE, T0, down())]) {
      const changed = after(gate, T0 + 10, { type: 'config_changed' })
      expect(changed.mode).toMatchObject({ probe: null, nextProbeAtMs: T0 + 10 })
    }
  })

  it('lets a retry go at once that failed with the old configuration', () => {
    const probing = after(after(OPEN_GATE, T0, down()), T0 + 2_000, probeStarted('p'))
    const changed = after(probing, T0 + 2_100, { type: 'config_changed' })
    expect(after(changed, T0 + 2_200, down('p')).mode).toMatchObject({
      state: 'retrying',
      attempt: 2,
      nextProbeAtMs: T0 + 2_200,
    })
  })

  it('waits half a second after a probe was given back, or as long as a 429 asked meanwhile', () => {
    const probing = after(after(OPEN_GATE, T0, down()), T0 + 2_000, probeStarted('p'))
    const back: GateEvent = { type: 'probe_released', probeId: 'p' }
    expect(mayStart(after(probing, T0 + 2_000, back), T0 + 2_000)).toEqual({
      go: false,
      waitMs: 500,
    })
    const asked = after(probing, T0 + 2_000, limited(7_000), back)
    expect(mayStart(asked, T0 + 2_000)).toEqual({ go: false, waitMs: 7_000 })
  })

  it.each([
    [0, 500],
    [10_000, 10_000],
    [900_000, 300_000],
  ])('gives a probe of %d ms its place for %d ms', (ttlMs, placeMs) => {
    const gate = after(OPEN_GATE, T0, refused)
    const probe: GateEvent = { type: 'probe_started', probeId: 'p', ttlMs }
    expect(after(gate, T0 + 1_000, probe).mode).toMatchObject({
      probe: { id: 'p', expiresAtMs: T0 + 1_000 + placeMs, outdated: false },
    })
  })
})

it('a stored gate is read as it was', () => {
  const held = after(OPEN_GATE, T0, { type: 'refused_for', reason: 'wrong_host', probeId: null })
  for (const gate of [OPEN_GATE, held, after(held, T0, { type: 'paused' })])
    expect(readGate(JSON.stringify(gate))).toEqual(gate)
  const odd = { version: 1, mode: { state: 'open' }, paused: 'yes', more: 1 }
  expect(readGate(JSON.stringify(odd))).toStrictEqual(OPEN_GATE)
})

it.each([
  null,
  '',
  'garbage',
  '{}',
  'null',
  '{"version":2,"mode":{"state":"held"}}',
  '{"version":1}',
  '{"version":1,"mode":{}}',
  '{"version":1,"mode":{"state":7}}',
])('an unreadable stored gate %j is open', (json) => expect(readGate(json)).toEqual(OPEN_GATE))

describe('in any case', () => {
  const probeId = fc.constantFrom(null, 'a', 'b', 'c')
  const event: fc.Arbitrary<GateEvent> = fc.oneof(
    fc.record({ type: fc.constant('succeeded' as const), probeId }),
    fc.record({
      type: fc.constant('failed_transient' as const),
      reason: fc.constantFrom('timeout' as const, 'server_error' as const),
      probeId,
    }),
    fc.record({
      type: fc.constant('refused_for' as const),
      reason: fc.constantFrom(...REFUSED),
      probeId,
    }),
    fc.record({
      type: fc.constant('rate_limited' as const),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 3_600_000 })),
      probeId,
    }),
    fc.constant<GateEvent>({ type: 'config_changed' }),
    fc.constant<GateEvent>({ type: 'probe_expired' }),
    fc.record({
      type: fc.constant('probe_started' as const),
      probeId: fc.constantFrom('a', 'b', 'c'),
      ttlMs: fc.integer({ min: 0, max: 60_000 }),
    }),
    fc.record({ type: fc.constant('probe_released' as const), probeId: fc.constantFrom('a', 'b') }),
  )
  const steps = fc.array(fc.record({ event, passMs: fc.integer({ min: 0, max: 90_000 }) }), {
    maxLength: 60,
  })

  /** Longest time before a new probe may go: a believed Retry-After or a dead probe's time. */
  const MAX_WAIT_MS = 3_600_000

  it('the gate survives storage, waits a bounded time, and lets a probe through afterwards', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 0.999, noNaN: true }), (sequence, random) => {
        let gate = OPEN_GATE
        let nowMs = T0
        for (const step of sequence) {
          gate = readGate(JSON.stringify(advance(gate, step.event, nowMs, random)))
          const may = mayStart(gate, nowMs)
          if (!may.go) {
            expect(may.waitMs).toBeGreaterThan(0)
            expect(may.waitMs).toBeLessThanOrEqual(MAX_WAIT_MS)
            expect(mayStart(gate, nowMs + may.waitMs).go).toBe(true)
          }
          nowMs += step.passMs
        }
      }),
    )
  })

  it("a step back of Redis' clock keeps no one waiting for longer than the pause it fell into", () => {
    const backMs = fc.integer({ min: 0, max: 100_000_000 })
    fc.assert(
      fc.property(steps, backMs, (sequence, stepMs) => {
        let gate = OPEN_GATE
        let nowMs = T0
        let askedMs = 0
        for (const { event: happened, passMs } of sequence) {
          gate = advance(gate, happened, nowMs, 0.5)
          if (happened.type === 'rate_limited') {
            askedMs = Math.max(askedMs, happened.retryAfterMs ?? 0)
          }
          nowMs += passMs
        }
        const may = mayStart(gate, nowMs - stepMs)
        if (may.go || gate.paused) return
        // A worker that died while it probed is waited for up to five minutes.
        const probing = gate.mode.state !== 'open' && gate.mode.probe !== null
        const longestMs = Math.max(askedMs, probing ? 300_000 : 120_000)
        expect(may.waitMs).toBeLessThanOrEqual(longestMs + 5_000)
      }),
    )
  })

  it('never more than one probe is out, and the success of one always opens', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let gate = OPEN_GATE
        let nowMs = T0
        for (const step of sequence) {
          const before = gate.mode
          gate = advance(gate, step.event, nowMs, 0)
          const running =
            before.state !== 'open' && before.probe !== null && before.probe.expiresAtMs > nowMs
          if (running && step.event.type === 'probe_started') expect(gate.mode).toEqual(before)
          if (gate.mode.state !== 'open' && gate.mode.probe !== null) {
            const opened = after(gate, nowMs, { type: 'succeeded', probeId: gate.mode.probe.id })
            expect(opened.mode).toEqual({ state: 'open' })
          }
          nowMs += step.passMs
        }
      }),
    )
  })
})
