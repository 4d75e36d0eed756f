import { Registry, type Histogram } from 'prom-client'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { observeSharedState } from '@relay/shared/observability/state-metrics.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { createWorkerMetrics } from '../../src/observe/metrics.js'

const MAX_SERIES = 2_150
const WORKSPACES = 20

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

test('a worker of twenty workspaces has at most 2,150 series, all there from the start', async () => {
  const limits = {
    usersPerWindow: 5,
    eventsPerWindow: 5,
    devicesPerWindow: null,
    maxBodyBytes: 500,
  }
  const all = Array.from({ length: WORKSPACES }, (_, i): Workspace => {
    const names = { appId: `WORKSPACE_${i}`, apiKey: 'k', baseUrl: 'http://127.0.0.1:1' }
    return {
      ...names,
      limits,
      producers: null,
      quotas: new Map(),
      mode: 'live' as const,
      shadowed: 'drop' as const,
    }
  })
  const client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 2_000 })
  await new Promise((resolve) => client.once('ready', resolve))
  const registry = new Registry()
  const workspaces = { all: () => all, faults: [] }
  const config = { prefix: redis.freshPrefix(), budgetWindowMs: 60_000 }
  observeProcess(registry, 'worker', workspaces)
  observeSharedState({ registry, client, config, workspaces, clock: systemClock })
  const metrics = createWorkerMetrics(registry)
  for (const { appId } of all) {
    metrics.preset(appId, false)
    // As of a workspace in shadow: it has one more.
    metrics.shadowed.inc({ app_id: appId }, 0)
  }
  // What a process that has run for a day has seen of itself.
  const collections = registry.getSingleMetric('nodejs_gc_duration_seconds') as Histogram
  for (const kind of ['major', 'minor', 'incremental', 'weakcb']) collections.observe({ kind }, 0)
  const text = await registry.metrics()
  client.disconnect()
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(series.length).toBeLessThanOrEqual(MAX_SERIES)
  // No label of an open set, such as what handles and spaces of the heap Node happens to have.
  expect(series.filter((line) => /^nodejs_(active|heap_space)/.test(line))).toEqual([])
  expect(series.filter((line) => line.includes('WORKSPACE_7"')).length).toBeGreaterThan(80)
})
