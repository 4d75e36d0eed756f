import fc from 'fast-check'
import { FlushScheduler } from '../../src/enqueue/redis-post-store.js'

/** The event loop's turns and timers as jest moves them; the clock goes with them. */
const clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() }

describe('when pieces leave', () => {
  let scheduler: FlushScheduler
  let left: string[]

  beforeEach(() => {
    jest.useFakeTimers()
    scheduler = new FlushScheduler(clock)
    left = []
  })

  afterEach(() => jest.useRealTimers())

  function come(name: string): void {
    scheduler.arrived()
    scheduler.onFlush(() => left.push(name))
  }

  /** Turns of the event loop, one timer or immediate each, until `done`. */
  function turnUntil(done: () => boolean): void {
    for (let i = 0; i < 50 && !done(); i++) jest.advanceTimersToNextTimer()
  }

  test('a lone piece waits for no timer', () => {
    const cameAtMs = Date.now()
    come('a')
    turnUntil(() => left.length > 0)
    expect(left).toEqual(['a'])
    // An immediate that another one asked for comes a millisecond later in jest's time.
    expect(Date.now()).toBeLessThanOrEqual(cameAtMs + 1)
  })

  test('pieces that arrive while others arrive leave together', () => {
    setImmediate(() => come('b'))
    come('a')
    expect(left).toEqual([])
    turnUntil(() => left.length > 0)
    expect(left).toEqual(['a', 'b'])
  })

  test('each piece leaves once, in order, and within 10 ms and a pause, for any arrivals', () => {
    const gapsMs = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(gapsMs, (gaps) => {
        const own = new FlushScheduler(clock)
        const gone: number[] = []
        const waits: number[] = []
        gaps.forEach((gapMs, i) => {
          const cameAtMs = Date.now()
          own.arrived()
          own.onFlush(() => {
            gone.push(i)
            waits.push(Date.now() - cameAtMs)
          })
          jest.advanceTimersByTime(gapMs)
        })
        jest.advanceTimersByTime(20)
        expect(gone).toEqual(gaps.map((_, i) => i))
        expect(Math.max(...waits)).toBeLessThanOrEqual(12)
      }),
    )
  })

  test('pieces that come in every turn do not hold those before them for more than 10 ms', () => {
    const startedMs = Date.now()
    let firstLeftMs: number | null = null
    scheduler.arrived()
    scheduler.onFlush(() => (firstLeftMs = Date.now()))
    // A turn takes a millisecond here and always brings something.
    const more = (): void => {
      scheduler.arrived()
      jest.setSystemTime(Date.now() + 1)
      if (firstLeftMs === null) setImmediate(more)
    }
    setImmediate(more)
    turnUntil(() => firstLeftMs !== null)
    expect(firstLeftMs).not.toBeNull()
    expect(Number(firstLeftMs) - startedMs).toBeLessThanOrEqual(11)
  })

  test('under load flushes keep a distance', () => {
    const flushesMs: number[] = []
    for (let i = 0; i < 50; i++) {
      scheduler.arrived()
      scheduler.onFlush(() => flushesMs.push(Date.now()))
      jest.advanceTimersByTime(1)
    }
    jest.advanceTimersByTime(20)
    const distinct = [...new Set(flushesMs)]
    const gaps = distinct.slice(1).map((atMs, i) => atMs - (distinct[i] ?? 0))
    expect(flushesMs).toHaveLength(50)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2)
  })
})
