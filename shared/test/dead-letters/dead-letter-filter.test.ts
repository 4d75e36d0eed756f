import { ANY_LETTER, matches, type DeadLetterFilter } from '../../src/dead-letters/dead-letter.js'
import { letter } from './letters.js'

const one = letter(5)

it.each<[string, Partial<DeadLetterFilter>, boolean]>([
  ['nothing is asked', {}, true],
  ['its reason is asked', { reason: one.reason }, true],
  ['another reason is asked', { reason: 'too_large' }, false],
  ['its customer is asked', { customer: one.customer }, true],
  ['another customer is asked', { customer: '00000000000000bb' }, false],
  ['its request is asked', { requestId: one.requestId }, true],
  ['another request is asked', { requestId: 'R'.repeat(26) }, false],
  ['it died since', { sinceMs: one.deadAtMs - 1 }, true],
  ['it died just then', { sinceMs: one.deadAtMs }, true],
  ['it died before', { sinceMs: one.deadAtMs + 1 }, false],
  ['all of it is asked', { reason: one.reason, customer: one.customer, sinceMs: 0 }, true],
  ['part of it is asked', { reason: one.reason, customer: '00000000000000bb', sinceMs: 0 }, false],
])('when %s a letter is taken: %j %j', (_, filter, expected) => {
  expect(matches(one, { ...ANY_LETTER, ...filter })).toBe(expected)
})
