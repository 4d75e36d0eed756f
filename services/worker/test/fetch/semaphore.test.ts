import fc from 'fast-check'
import { Semaphore } from '../../src/fetch/loader.js'

describe('turns', () => {
  test('never more at a time than there may be, first come, first served, failures included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.record({ steps: fc.integer({ min: 1, max: 5 }), fails: fc.boolean() }), {
          maxLength: 30,
        }),
        async (atATime, works) => {
          const turns = new Semaphore(atATime)
          const begun: number[] = []
          let under = 0
          let most = 0
          const results = await Promise.allSettled(
            works.map(({ steps, fails }, i) =>
              turns.take(async () => {
                begun.push(i)
                under += 1
                most = Math.max(most, under)
                for (let step = 0; step < steps; step += 1) await Promise.resolve()
                under -= 1
                if (fails) throw new Error(String(i))
                return i
              }),
            ),
          )
          expect(begun).toEqual(works.map((_, i) => i))
          expect(most).toBe(Math.min(atATime, works.length))
          expect(results.map(({ status }) => status === 'rejected')).toEqual(
            works.map(({ fails }) => fails),
          )
        },
      ),
    )
  })

  test('one that never ends holds up the others for a while, and once only', async () => {
    jest.useFakeTimers()
    try {
      const turns = new Semaphore(1)
      let end = (): void => undefined
      const stuck = turns.take(() => new Promise<void>((resolve) => (end = resolve)))
      let under = 0
      const others = [1, 2].map((name) =>
        turns.take(async () => {
          under += 1
          expect(under).toBe(1)
          await Promise.resolve()
          under -= 1
          return name
        }),
      )
      await jest.advanceTimersByTimeAsync(1_000)
      expect(await Promise.all(others)).toEqual([1, 2])
      end()
      await stuck
      // Its turn was given on before: it is not given on twice.
      const more = [3, 4].map((name) =>
        turns.take(async () => {
          under += 1
          expect(under).toBe(1)
          await Promise.resolve()
          under -= 1
          return name
        }),
      )
      expect(await Promise.all(more)).toEqual([3, 4])
    } finally {
      jest.useRealTimers()
    }
  })
})
