import { systemClock } from '@relay/shared/clock.js'
import { NO_COST } from '@relay/shared/budget/cost.js'
import { Reservations } from '../../src/budget/reservations.js'

const cost = { ...NO_COST, users: 3 }
let reservations: Reservations

beforeEach(() => {
  jest.useFakeTimers()
  reservations = new Reservations(systemClock)
})

afterEach(() => jest.useRealTimers())

const ids = () => reservations.open().map(({ id }) => id)

describe('a reservation', () => {
  it('is re-entered with the time that is left of it', () => {
    reservations.note('a', cost, 'realtime', 1_000)
    jest.advanceTimersByTime(400)
    expect(reservations.open()).toEqual([{ id: 'a', cost, lane: 'realtime', expiresInMs: 600 }])
  })

  it('without an answer counts until it expires, and no longer', () => {
    reservations.note('a', cost, 'realtime', 1_000)
    reservations.note('b', cost, 'backfill', 2_000)
    jest.advanceTimersByTime(999)
    expect(ids()).toEqual(['a', 'b'])
    jest.advanceTimersByTime(1)
    expect(ids()).toEqual(['b'])
    jest.advanceTimersByTime(1_000)
    expect(ids()).toEqual([])
  })

  it('that was answered counts for one window from the answer, sooner or later than before', () => {
    reservations.note('sooner', cost, 'realtime', 5_000)
    reservations.note('later', cost, 'realtime', 1_000)
    reservations.answered('sooner', 500)
    reservations.answered('later', 3_000)
    jest.advanceTimersByTime(1_000)
    expect(ids()).toEqual(['later'])
    jest.advanceTimersByTime(2_000)
    expect(ids()).toEqual([])
  })

  it('that was refunded is not re-entered', () => {
    reservations.note('a', cost, 'realtime', 1_000)
    reservations.refunded('a')
    expect(ids()).toEqual([])
  })

  it('is not revived by an answer after its maxAge', () => {
    reservations.note('a', cost, 'realtime', 1_000)
    jest.advanceTimersByTime(1_000)
    reservations.note('b', cost, 'realtime', 1_000)
    reservations.answered('a', 1_000)
    expect(ids()).toEqual(['b'])
  })
})
