import type { Item } from '../../src/fetch/window.js'
import { Late } from '../../src/retry/late.js'
import { itemsOf } from '../support/elements.js'
import { windowsOf } from '../support/windows.js'

const GRACE_MS = 5_000

test('after a request without an answer its elements may go again at once, later ones of their customers after the grace', () => {
  let nowMs = 0
  const late = new Late({ monotonicMs: () => nowMs, nowMs: () => nowMs }, GRACE_MS)
  const customers = [1, 1, 2, 3]
  const [window] = windowsOf([
    [customers.map((customer) => ({ customer, kind: 'event' as const, bytes: 20, cost: 1 }))],
  ])
  const [older, newer, second, third] = itemsOf(window!) as [Item, Item, Item, Item]
  expect(late.waitMs([older, newer])).toBe(0)
  late.add([older, second])
  expect(late.waitMs([older])).toBe(0)
  expect(late.waitMs([second, older])).toBe(0)
  expect(late.waitMs([third])).toBe(0)
  expect(late.waitMs([newer])).toBe(GRACE_MS)
  nowMs = 1_000
  late.add([older])
  expect(late.waitMs([third, newer])).toBe(GRACE_MS)
  nowMs = GRACE_MS
  expect(late.waitMs([newer])).toBe(1_000)
  nowMs = GRACE_MS + 1_000
  expect(late.waitMs([newer])).toBe(0)
})
