import { Registry } from 'prom-client'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { observeSharedState } from '@relay/shared/observability/state-metrics.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { createIntakeMetrics, observeBacklogLimit, ROUTES } from '../../src/observe/metrics.js'
import { workspace } from '../support/intake.js'

const MAX_SERIES = 2_000
const WORKSPACES = 20
const PRODUCERS = 50
/** Every status that the intake answers. */
const STATUSES = [200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503]

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

test('an api of twenty workspaces has at most 2,000 series, for any posts', async () => {
  const all = Array.from({ length: WORKSPACES }, (_, i) => ({
    ...workspace(`WORKSPACE_${i}`),
    limits: { usersPerWindow: 5, eventsPerWindow: 5, devicesPerWindow: 5, maxBodyBytes: 500 },
  }))
  const client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 2_000 })
  await new Promise((resolve) => client.once('ready', resolve))
  const registry = new Registry()
  const workspaces = { all: () => all, faults: [] }
  const config = { prefix: redis.freshPrefix(), budgetWindowMs: 60_000 }
  observeProcess(registry, 'api', workspaces)
  observeSharedState({ registry, client, config, workspaces, clock: systemClock })
  observeBacklogLimit(registry, () => 1)
  const producers = Array.from({ length: PRODUCERS }, (_, i) => `producer-${i}`)
  const metrics = createIntakeMetrics(registry)
  metrics.presetProducers(producers)
  for (const { appId } of all) metrics.preset(appId)
  const atStart = seriesOf(await registry.metrics())
  for (const route of ROUTES) {
    metrics.duration.observe({ route }, 0.01)
    for (const status of STATUSES) metrics.requests.inc({ route, status: String(status) })
  }
  const series = seriesOf(await registry.metrics())
  client.disconnect()
  expect(series.length).toBeLessThanOrEqual(MAX_SERIES)
  expect(series.filter((line) => line.includes('WORKSPACE_7"')).length).toBeGreaterThan(40)
  // What a rate is taken of begins at 0, or its first event would not be seen.
  for (const first of ['status="503"', 'rule="', 'producer="producer-7"', 'outcome="rejected"']) {
    expect(atStart.some((line) => line.includes(first) && line.endsWith(' 0'))).toBe(true)
  }
})

function seriesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}
