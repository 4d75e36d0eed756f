import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { simulateDay } from '../../src/ops/scaling-day.js'
import { plotDay } from '../../src/ops/scaling-day.js'

test('over a day with peaks, backfill and an outage it follows the load without flapping', () => {
  const day = simulateDay()
  const turns = day.filter((point, i) => i > 0 && point.wanted !== day[i - 1]?.wanted)
  // The day has three peaks, a backfill and an outage: each goes up and down in a few steps.
  expect(turns.length).toBeLessThan(40)
  const ups = turns.filter((point, i) => i > 0 && point.wanted > turns[i - 1]!.wanted)
  const soonDown = ups.filter((up) =>
    turns.some(
      ({ atMs, wanted }) => atMs > up.atMs && atMs < up.atMs + 300_000 && wanted < up.wanted,
    ),
  )
  expect(soonDown).toEqual([])
  for (const { wanted, mostUseful } of day) expect(wanted).toBeLessThanOrEqual(mostUseful)
  // Nothing of the realtime traffic waits for want of a worker once it was asked for.
  const calm = day.filter(({ atMs }) => atMs < 9 * 3_600_000)
  expect(Math.max(...calm.map(({ waiting }) => waiting))).toBeLessThan(200_000)
  expect(day.at(-1)?.waiting).toBe(0)
})

test('the picture in the docs shows this day: else run npm run ops:scaling-plot', () => {
  const file = join(__dirname, '../../../docs/img/workers-wanted.svg')
  expect(readFileSync(file, 'utf8')).toBe(plotDay(simulateDay()))
})
