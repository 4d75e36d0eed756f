import { EventEmitter } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { freePort } from '@relay/tools/process/port.js'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import type { LogFields } from '@relay/shared/observability/logger.js'
import { LoopDelay } from '@relay/shared/process/loop-delay.js'
import { connectRedis, type RedisClient } from '@relay/shared/redis/connect.js'
import { watchRedis } from '@relay/shared/redis/explain.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const ON_TIME = { recentMs: () => 0 }

/** The log of a connection that is watched until it says something; once it is there, `begin` runs. */
async function explained(
  url: string,
  begin: (client: RedisClient) => void = () => undefined,
  commandTimeoutMs = 1_000,
) {
  const client = connectRedis({ mode: 'single', url }, { commandTimeoutMs })
  client.once('ready', () => { begin(client) }) // prettier-ignore
  const lines: { message: string; fields: LogFields }[] = []
  const log = (message: string, fields: LogFields = {}) => lines.push({ message, fields })
  const problem = watchRedis(
    client,
    { error: log, info: log },
    systemClock,
    new LoopDelay(systemClock),
  )
  try {
    await waitFor(() => lines.length > 0, { what: 'an explanation' })
    return { lines, problem: problem() }
  } finally {
    client.disconnect()
  }
}

test('a closed port is explained, with what to do', async () => {
  const port = await freePort()
  const { lines, problem } = await explained(`redis://127.0.0.1:${port}`)
  expect(lines[0]).toEqual({ message: 'Redis is unavailable', fields: problem })
  expect(problem).toEqual({
    problem: 'nothing listens at the address of Redis',
    next: 'Start Redis, or correct the host and port in REDIS_URL',
  })
})

test('a server that is not Redis is named, and so is a replica', async () => {
  const http = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const other = await explained(`redis://127.0.0.1:${port}`)
  http.close()
  expect(other.lines[0]?.fields.problem).toContain('is not Redis')

  const server = await startRedis({ own: true })
  const admin = connectRedis({ mode: 'single', url: server.url }, { commandTimeoutMs: 1_000 })
  try {
    await new Promise((resolve) => admin.once('ready', resolve))
    await admin.replicaof('127.0.0.1', redis.port)
    const { lines, problem } = await explained(server.url)
    expect(lines[0]).toEqual({ message: 'Redis is unavailable', fields: problem })
    expect(problem?.problem).toContain('read-only replica')
  } finally {
    admin.disconnect()
    await server.stop()
  }
})

test('a server that becomes a replica while it is used is named at its next write, until it is promoted', async () => {
  const server = await startRedis({ own: true })
  const options = { commandTimeoutMs: 1_000 }
  const client = connectRedis({ mode: 'single', url: server.url }, options)
  const admin = connectRedis({ mode: 'single', url: server.url }, options)
  try {
    const log = { error: () => undefined, info: () => undefined }
    const problem = watchRedis(client, log, systemClock, ON_TIME)
    await Promise.all([client, admin].map((one) => new Promise((resolve) => one.once('ready', resolve)))) // prettier-ignore
    await client.set('a', '1')
    await admin.replicaof('127.0.0.1', redis.port)
    await expect(client.set('a', '2')).rejects.toThrow('READONLY')
    const isNamed = () => problem()?.problem.includes('read-only replica') === true
    await waitFor(isNamed, { what: 'the replica to be named' })
    await admin.replicaof('NO', 'ONE')
    await waitFor(() => problem() === null, { what: 'the promotion to be seen', timeoutMs: 15_000 })
    await client.set('a', '3')
  } finally {
    client.disconnect()
    admin.disconnect()
    await server.stop()
  }
})

test('a promoted replica, and one whose role is unknown, is available', async () => {
  jest.useFakeTimers()
  try {
    const roles = ['role:slave\r\n', 'role:slave\r\n', 'role:master\r\n']
    const client = Object.assign(new EventEmitter(), {
      status: 'ready',
      info: () => Promise.resolve(roles.shift() ?? ''),
    })
    const lines: string[] = []
    const log = (message: string) => lines.push(message)
    const problem = watchRedis(client as never, { error: log, info: log }, systemClock, ON_TIME)
    client.emit('ready')
    await jest.advanceTimersByTimeAsync(6_000)
    expect(problem()?.next).toContain('REDIS_URL')
    await jest.advanceTimersByTimeAsync(6_000)
    expect(problem()).toBeNull()
    expect(lines).toEqual(['Redis is unavailable', 'Redis is available again'])
  } finally {
    jest.useRealTimers()
  }
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
    ON_TIME,
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

/** Stops the event loop, as too much work in one step does. */
function stopLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('a timeout because the event loop of the process stopped is reported as that, not as an outage', async () => {
  const busy = (client: RedisClient) => {
    client.ping().catch(() => undefined)
    setImmediate(stopLoop, 1_500)
  }
  const { lines } = await explained(redis.url, busy, 250)
  expect(lines[0]?.message).toBe('This process was too busy to read from Redis')
  expect(lines[0]?.fields.loopDelayMs).toBeGreaterThan(1_000)
})

test('a Redis that does not answer a process that is on time is unavailable', async () => {
  const mute = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  const { port } = mute.address() as AddressInfo
  const { lines } = await explained(`redis://127.0.0.1:${port}`)
  expect(lines[0]).toMatchObject({
    message: 'Redis is unavailable',
    fields: { problem: 'Redis does not answer in time' },
  })
  mute.close()
})

test('a delay of the event loop explains timeouts for 15 s, and no other error', () => {
  const client = new EventEmitter()
  const lines: string[] = []
  const log = (message: string, { problem }: LogFields = {}) =>
    lines.push(`${message}: ${String(problem)}`)
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs }
  watchRedis(client as never, { error: log, info: log }, clock, { recentMs: () => 900 })
  const timeout = new Error('Socket timeout. Expecting data')
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  client.emit('error', timeout)
  nowMs = 14_000
  client.emit('error', timeout)
  nowMs = 16_000
  client.emit('error', timeout)
  client.emit('error', refused)
  expect(lines).toEqual([
    expect.stringContaining('This process was too busy to read from Redis: '),
    'Redis is unavailable: Redis does not answer in time',
    'Redis is unavailable: nothing listens at the address of Redis',
  ])
})
