import { ownRedisIsPossible } from '@relay/test/support/redis/test-redis.js'
import { buildServices, chooseRows, measureRow, ROWS } from '../src/bench.js'
import { rowReport } from '../src/report.js'

const perRow = ownRedisIsPossible ? describe : describe.skip

perRow('every row of the benchmark', () => {
  beforeAll(() => buildServices(), 300_000)

  it.each(ROWS.map(({ name }) => name))(
    '%s measures all of its columns for every contender',
    async (name) => {
      const row = chooseRows([name])[0]!
      const samples = await measureRow(row, 1, { quick: true })
      const columns = row.columns.map((column) => column.name)
      expect(samples.length).toBeGreaterThan(0)
      for (const { values } of samples) {
        expect(Object.keys(values).sort()).toEqual([...columns].sort())
        for (const value of Object.values(values)) expect(Number.isFinite(value)).toBe(true)
      }
      expect(rowReport(row, samples)).toContain(row.title)
    },
    300_000,
  )
})

it('an unknown row is named', () => expect(() => chooseRows(['nothing'])).toThrow('nothing'))
