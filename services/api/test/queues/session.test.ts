import { QueueSession, SESSION_SECONDS } from '../../src/queues/session.js'
import { FixedClock } from '../support/doubles.js'

const NOW = 1_760_000_000_000

function cookieOf(session: QueueSession): string {
  return session.begin(false)!.split(';')[0]!
}

it('is valid for an hour, also at another api with the same token', () => {
  const clock = new FixedClock(NOW)
  const cookie = cookieOf(new QueueSession('token', clock))
  const elsewhere = new QueueSession('token', clock)
  clock.now = NOW + SESSION_SECONDS * 1_000 - 1
  expect(elsewhere.isValid(`other=1; ${cookie}`)).toBe(true)
  clock.now += 1
  expect(elsewhere.isValid(cookie)).toBe(false)
})

it('ends with the token that signed it', () => {
  const clock = new FixedClock(NOW)
  const cookie = cookieOf(new QueueSession('old', clock))
  expect(new QueueSession('new', clock).isValid(cookie)).toBe(false)
  expect(new QueueSession(null, clock).isValid(cookie)).toBe(false)
})

it('signing out takes the cookie away', () => {
  const ended = new QueueSession('token', new FixedClock(NOW)).end(false)
  expect(ended).toMatch(/^relay_queues=; .*Max-Age=0;/)
})
