import fc from 'fast-check'
import { Turns } from '../../src/fetch/turns.js'

describe('turns', () => {
  test('never more at a time than there may be, first come, first served, failures included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.record({ steps: fc.integer({ min: 1, max: 5 }), fails: fc.boolean() }), {
          maxLength: 30,
        }),
        async (atATime, works) => {
          const turns = new Turns(atATime)
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
})
