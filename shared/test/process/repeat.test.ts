import { repeat } from '../../src/process/repeat.js'

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

it('waits before each turn, also after one that failed', async () => {
  let turns = 0
  const stop = repeat(100, () => Promise.reject(new Error(String((turns += 1)))))
  await jest.advanceTimersByTimeAsync(99)
  expect(turns).toBe(0)
  await jest.advanceTimersByTimeAsync(201)
  expect(turns).toBe(3)
  stop()
  await jest.advanceTimersByTimeAsync(1_000)
  expect(turns).toBe(3)
})

it('that is stopped during a turn has no further one', async () => {
  let turns = 0
  let end: () => void = () => undefined
  const stop = repeat(
    () => 100,
    () => {
      turns += 1
      return new Promise<void>((resolve) => (end = resolve))
    },
  )
  await jest.advanceTimersByTimeAsync(1_000)
  expect(turns).toBe(1)
  stop()
  end()
  await jest.advanceTimersByTimeAsync(1_000)
  expect(turns).toBe(1)
})
