import { EventEmitter } from 'node:events'
import { freePort } from '@relay/tools/process/port.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import type { LogFields } from '@relay/shared/observability/logger.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { watchRedis } from '@relay/shared/redis/explain.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** The log of a connection that is watched until it says something. */
async function explained(url: string) {
  const client = connectRedis({ mode: 'single', url }, { commandTimeoutMs: 1_000 })
  const lines: { message: string; fields: LogFields }[] = []
  const log = (message: string, fields: LogFields = {}) => lines.push({ message, fields })
  const problem = watchRedis(client, { error: log, info: log }, systemClock)
  try {
    await waitFor(() => lines.length > 0, { what: 'an explanation' })
    return { lines, problem: problem() }
  } finally {
    client.disconnect()
  }
}

test('a closed port is explained, with what to do', async () => {
  const port = await freePort()
  const { lines, problem } = await explained(`redis://127.0.0.1:${String(port)}`)
  expect(lines[0]).toEqual({ message: 'Redis is unavailable', fields: problem })
  expect(problem).toEqual({
    problem: 'nothing listens at the address of Redis',
    next: 'Start Redis, or correct the host and port in REDIS_URL',
  })
})

test('a wrong password and a missing one are explained apart, and no line holds either', async () => {
  const admin = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 1_000 })
  await new Promise((resolve) => admin.once('ready', resolve))
  await admin.config('SET', 'requirepass', 'right-password')
  try {
    const missing = await explained(redis.url)
    expect(missing.lines[0]?.fields.problem).toBe('Redis requires a password')
    const wrong = await explained(redis.url.replace('redis://', 'redis://:wrong-password@'))
    expect(wrong.lines[0]?.fields.problem).toBe('Redis refuses the password')
    expect(JSON.stringify([missing, wrong])).not.toMatch(/wrong-password|right-password/)
  } finally {
    await admin.config('SET', 'requirepass', '')
    admin.disconnect()
  }
})

test('one cause is one line however often it is met, and its end says how long it took', () => {
  const client = new EventEmitter()
  const lines: [string, LogFields?][] = []
  const log = (...line: [string, LogFields?]) => lines.push(line)
  let nowMs = 0
  const problem = watchRedis(
    client as never,
    { error: log, info: log },
    { monotonicMs: () => nowMs },
  )
  client.emit('close')
  for (let i = 0; i < 5; i++) {
    client.emit('error', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
    client.emit('close')
  }
  nowMs = 14_000
  client.emit('ready')
  expect(lines.map(([message]) => message)).toEqual([
    'Redis is unavailable',
    'Redis is unavailable',
    'Redis is available again',
  ])
  expect(lines[2]?.[1]).toEqual({ afterMs: 14_000 })
  expect(problem()).toBeNull()
})
