import { CommandError, EXIT, failureOf } from '../../src/exit.js'

const away = new CommandError(EXIT.unavailable, 'not reachable', 'Start relay')

it('a failure is told with the next step on standard error', () => {
  expect(failureOf(away, false)).toEqual({
    ...{ status: 69, out: null },
    note: 'relay: not reachable\n  Next: Start relay',
  })
})

it('with --json a failure is JSON on standard output, with the same status', () => {
  const { status, out, note } = failureOf(away, true)
  expect([status, note]).toEqual([69, null])
  expect(JSON.parse(out!)).toEqual({
    error: { message: 'not reachable', next: 'Start relay', status: 69 },
  })
})

it('an unexpected error exits 1 and is JSON too', () => {
  const { status, out } = failureOf(new Error('broken'), true)
  expect([status, JSON.parse(out!)]).toEqual([
    1,
    { error: { message: 'broken', next: null, status: 1 } },
  ])
})
