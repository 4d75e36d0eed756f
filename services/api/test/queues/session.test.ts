import { Keyring } from '@relay/shared/config/secret.js'
import { QueueSession, SESSION_SECONDS } from '../../src/queues/session.js'
import { FixedClock } from '../support/doubles.js'

const NOW = 1_760_000_000_000

function sessions(clock: FixedClock, ...tokens: string[]): QueueSession {
  const operators = new Keyring(new Map([['operator', tokens]]))
  return new QueueSession(() => operators, clock)
}

function cookieOf(session: QueueSession): string {
  return session.begin(false)!.split(';')[0]!
}

it('is valid for an hour, also at another api with the same token', () => {
  const clock = new FixedClock(NOW)
  const cookie = cookieOf(sessions(clock, 'token'))
  const elsewhere = sessions(clock, 'token')
  clock.now = NOW + SESSION_SECONDS * 1_000 - 1
  expect(elsewhere.isValid(`other=1; ${cookie}`)).toBe(true)
  clock.now += 1
  expect(elsewhere.isValid(cookie)).toBe(false)
})

it('ends with the token that signed it', () => {
  const clock = new FixedClock(NOW)
  const cookie = cookieOf(sessions(clock, 'old'))
  expect(sessions(clock, 'new', 'old').isValid(cookie)).toBe(true)
  expect(sessions(clock, 'new').isValid(cookie)).toBe(false)
  expect(sessions(clock).isValid(cookie)).toBe(false)
  expect(sessions(clock).begin(false)).toBeNull()
})

it('signing out takes the cookie away', () => {
  const ended = sessions(new FixedClock(NOW), 'token').end(false)
  expect(ended).toMatch(/^relay_queues=; .*Max-Age=0;/)
})
