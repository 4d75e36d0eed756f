import type { Deployment } from '@relay/shared/queue/deployment.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { BacklogGuard } from '../../src/guard/backlog-guard.js'
import { waitingPost } from '../support/waiting-post.js'
import { backlogFull } from '../../src/guard/intake-problem.js'

test('a backlog at its limit is told with its use and the limit', () => {
  const { reason, meaning, next } = backlogFull(990_000_000, 1_000_000_000)
  expect(reason).toBe('backlog_full')
  expect(meaning).toContain('(990.0 of 1000.0 MB)')
  expect(next).toContain('RELAY_MAX_BACKLOG_BYTES')
})

test('a post that did not fit is told of until its Retry-After, far below the limit too', () => {
  let nowMs = 0
  const guard = new BacklogGuard({
    // Nothing is read here.
    ...{ client: null as unknown as RedisClient, deployment: null as unknown as Deployment },
    ...{ prefix: 'p', appIds: () => [], maxBacklogBytes: 1_000 },
    clock: { nowMs: () => 0, monotonicMs: () => nowMs },
  })
  const large = waitingPost(
    'A',
    Array.from({ length: 50 }, (_, i) => `c${i}`),
  )
  expect(guard.problem).toBeNull()
  expect(guard.refusal(large)).toBe('backlog_full')
  nowMs += 29_999
  expect(guard.problem?.reason).toBe('backlog_full')
  expect(guard.problem?.meaning).toMatch(
    /no room for a post of 0\.0\d\d MB \(0\.000 of 0\.001 MB\)/,
  )
  nowMs += 1
  expect(guard.problem).toBeNull()
})
