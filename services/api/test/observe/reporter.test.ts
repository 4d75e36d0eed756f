import type { LogFields, Logger } from '@relay/shared/observability/logger.js'
import { Registry } from 'prom-client'
import { createIntakeMetrics } from '../../src/observe/metrics.js'
import { Reporter } from '../../src/observe/reporter.js'

test('the line of a post that a full backlog refuses says what to do', () => {
  const lines: LogFields[] = []
  const log = { warn: (_message: string, fields: LogFields) => lines.push(fields) }
  const clock = { nowMs: () => 0, monotonicMs: () => 0 }
  const reporter = new Reporter(
    createIntakeMetrics(new Registry()),
    log as unknown as Logger,
    clock,
  )
  const answer = {
    ...{ route: 'event' as const, status: 503, durationMs: 1, requestId: 'r' },
    ...{ appId: 'A', producer: 'shop', bodyBytes: 10, elements: 1 },
  }
  reporter.answered({ ...answer, cause: 'backlog_full' })
  reporter.answered({ ...answer, cause: 'internal' })
  expect(lines.map(({ next }) => next)).toEqual([
    expect.stringContaining('RELAY_MAX_BACKLOG_BYTES'),
    undefined,
  ])
})
