import { backlogFull } from '../../src/guard/intake-problem.js'

test('a backlog at its limit is told with its use and the limit', () => {
  const { reason, meaning, next } = backlogFull(990_000_000, 1_000_000_000)
  expect(reason).toBe('backlog_full')
  expect(meaning).toContain('(990.0 of 1000.0 MB)')
  expect(next).toContain('RELAY_MAX_BACKLOG_BYTES')
})
