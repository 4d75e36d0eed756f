import { LoopDelay } from '@relay/shared/process/loop-delay.js'

let nowMs: number
let delay: LoopDelay
beforeEach(() => {
  nowMs = 0
  jest.useFakeTimers()
  delay = new LoopDelay({ monotonicMs: () => nowMs })
})
afterEach(() => jest.useRealTimers())

function tickAt(ms: number): void {
  nowMs = ms
  jest.advanceTimersByTime(100)
}

test('a loop that is on time has no delay', () => {
  for (let ms = 100; ms <= 1_000; ms += 100) tickAt(ms)
  expect(delay.recentMs()).toBe(0)
})

test('the longest delay is remembered for some seconds, also after shorter ones', () => {
  tickAt(100)
  tickAt(2_200)
  tickAt(2_500)
  expect(delay.recentMs()).toBe(2_000)
  for (let ms = 2_600; ms <= 8_100; ms += 100) tickAt(ms)
  expect(delay.recentMs()).toBe(2_000)
  for (let ms = 8_200; ms <= 8_500; ms += 100) tickAt(ms)
  expect(delay.recentMs()).toBe(0)
})

test('a delay counts as soon as it ends, before the next timer runs', () => {
  tickAt(100)
  nowMs = 900
  expect(delay.recentMs()).toBe(700)
})
