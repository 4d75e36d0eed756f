import { systemClock } from '@relay/shared/clock.js'
import { InFlight } from '../../src/ownership/in-flight.js'

const GRACE_MS = 5_000
let inFlight: InFlight

beforeEach(() => {
  jest.useFakeTimers()
  inFlight = new InFlight(systemClock, GRACE_MS)
})

afterEach(() => jest.useRealTimers())

describe('a partition', () => {
  it('is taken by one delivery at a time, all of its partitions or none', () => {
    const first = inFlight.begin(['a', 'b', 'a'])
    expect(first).not.toBeNull()
    expect(inFlight.begin(['c', 'b'])).toBeNull()
    expect(inFlight.freeInMs('c')).toBe(0)
    expect(inFlight.freeInMs('a')).toBe(Infinity)
    first?.end()
    expect(inFlight.begin(['c', 'b'])).not.toBeNull()
  })

  it('is free at the end of a delivery whose attempts were all answered', () => {
    inFlight.begin(['a'])?.end()
    expect(inFlight.isFree('a')).toBe(true)
    expect(inFlight.lateMs('a')).toBe(0)
  })

  it('is not free before an attempt without an answer can arrive no more', async () => {
    const open = inFlight.begin(['a'])
    open?.mayArriveLate()
    await jest.advanceTimersByTimeAsync(2_000)
    expect(inFlight.lateMs('a')).toBe(3_000)
    open?.end()
    expect(inFlight.freeInMs('a')).toBe(3_000)
    expect(inFlight.begin(['a'])).toBeNull()
    await jest.advanceTimersByTimeAsync(3_000)
    expect(inFlight.isFree('a')).toBe(true)
    expect(inFlight.begin(['a'])).not.toBeNull()
  })

  it('that is waited for calls back once, as soon as it is free', async () => {
    const calls: string[] = []
    inFlight.whenFree('a', () => calls.push('at once'))
    expect(calls).toEqual(['at once'])
    const open = inFlight.begin(['a'])
    inFlight.whenFree('a', () => calls.push('later'))
    open?.mayArriveLate()
    await jest.advanceTimersByTimeAsync(1_000)
    open?.end()
    expect(calls).toEqual(['at once'])
    await jest.advanceTimersByTimeAsync(4_000)
    expect(calls).toEqual(['at once', 'later'])
    inFlight.begin(['a'])?.end()
    await jest.advanceTimersByTimeAsync(60_000)
    expect(calls).toHaveLength(2)
  })
})
