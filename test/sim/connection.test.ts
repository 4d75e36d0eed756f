import type { Redis } from 'ioredis'
import { LOOPBACK } from '@relay/tools/process/port.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { runScript, type Script } from '@relay/shared/redis/script.js'
import { startRedis, type TestRedis } from '../support/redis/test-redis.js'
import { SimRedis } from './redis-client.js'
import { SimRedisServer } from './redis-server.js'
import { installTimers } from './timers.js'
import { Wire } from './wire.js'
import { Actor, World } from './world.js'

const TIMEOUT_MS = 300
const CASE_MS = 20_000

/** A client of relay and the connection that it hears messages on; what can happen to them. */
interface Side {
  readonly client: Redis
  readonly subscriber: Redis
  /** The server answers nothing from now on. */
  readonly hang: () => void
  readonly resume: () => void
  /** The client's connection ends. */
  readonly cut: () => void
}

function scriptOf(text: string): Script {
  return { name: `case-${text.length}`, text, keys: 1 }
}

function messageOf(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'did not fail',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

async function ready(client: Redis): Promise<void> {
  if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve))
}

const CASES: Readonly<Record<string, (side: Side) => Promise<unknown>>> = {
  'replies of every type': async ({ client }) => [
    await client.ping(),
    await client.set('text', 'ä'),
    [await client.get('text'), await client.get('absent'), String(await client.getBuffer('text'))],
    [await client.incr('number'), await client.rpush('list', 'a', 'b'), await client.llen('list')],
    [await client.lrange('list', 0, -1), await client.lrange('absent', 0, -1)],
    [await client.hset('hash', { a: '1', b: '' }), await client.hmget('hash', 'a', 'c')],
    [await client.hgetall('hash'), await client.hgetall('absent'), await client.hget('hash', 'b')],
    [await client.zadd('set', 1.5, 'm'), await client.zrange('set', '0', '-1', 'WITHSCORES')],
    [await client.zcount('set', '(1.5', '+inf'), await client.del('set', 'absent')],
  ],
  'an error of the server': async ({ client }) => {
    await client.set('text', 'x')
    return messageOf(client.incr('text'))
  },
  'commands of one moment in their order': ({ client }) =>
    Promise.all([1, 2, 3].map(() => client.incr('number'))),
  'a transaction': ({ client }) =>
    client.multi().set('text', 'x').incr('number').hgetall('absent').exec(),
  'replies of a script': async ({ client }) => {
    const text = "return { 1, 'text', false, { ARGV[1], KEYS[1] }, redis.call('INCR', KEYS[1]) }"
    return JSON.stringify(await runScript(client, scriptOf(text), ['number'], [Buffer.from('ä')]))
  },
  'a script without a reply': ({ client }) =>
    runScript(client, scriptOf("redis.call('INCR', KEYS[1])"), ['number'], []),
  'an error of a script': ({ client }) =>
    messageOf(runScript(client, scriptOf("return redis.error_reply('WRONG key')"), ['a'], [])),
  'a message of a script': async ({ client, subscriber }) => {
    const heard = new Promise((resolve) => {
      subscriber.on('message', (...message) => {
        resolve(message)
      })
    })
    await subscriber.subscribe('news')
    const text = "redis.call('PUBLISH', KEYS[1], ARGV[1]) return 1"
    await runScript(client, scriptOf(text), ['news'], ['hello'])
    return heard
  },
  'a key that expires': async ({ client }) => {
    await client.set('text', 'x')
    await client.pexpire('text', 60)
    const before = await client.get('text')
    while ((await client.get('text')) !== null) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return before
  },
  'an expiry that a script renews': async ({ client }) => {
    await client.set('text', 'x')
    await client.pexpire('text', 60)
    const text = "redis.call('PEXPIRE', KEYS[1], ARGV[1]) return 1"
    await runScript(client, scriptOf(text), ['text'], [60_000])
    await new Promise((resolve) => setTimeout(resolve, 200))
    return client.get('text')
  },
  'a server that hangs, and answers late': async ({ client, hang, resume }) => {
    hang()
    const late = await messageOf(client.incr('number'))
    resume()
    await ready(client)
    return [late, await client.incr('number')]
  },
  'a server that hangs for long: the connection is replaced': async ({ client, hang, resume }) => {
    hang()
    const closed = new Promise((resolve) => client.once('close', resolve))
    const late = await messageOf(client.get('text'))
    await closed
    resume()
    await ready(client)
    return [late, await client.get('text')]
  },
  'a connection that ends with commands in flight': async ({ client, hang, resume, cut }) => {
    const events: string[] = []
    for (const event of ['close', 'ready']) client.on(event, () => events.push(event))
    hang()
    const inFlight = [messageOf(client.get('a')), messageOf(client.get('b'))]
    cut()
    const failed = await Promise.all(inFlight)
    const without = await messageOf(client.get('a'))
    resume()
    await ready(client)
    return { failed, without, events: [...events], after: await client.get('a') }
  },
}

describe('a simulated connection behaves as a real one does', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis({ own: true })
  })
  afterAll(() => redis.stop())

  test.each(Object.entries(CASES))('%s', async (_, run) => {
    const real = await really(redis, run)
    expect(await simulated(redis, run)).toEqual(real)
  })
})

async function really(redis: TestRedis, run: (side: Side) => Promise<unknown>): Promise<unknown> {
  const open = () =>
    connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: TIMEOUT_MS }) as Redis
  const [client, subscriber] = [open(), open()]
  try {
    await Promise.all([ready(client), ready(subscriber)])
    await client.flushall()
    return await run({
      ...{ client, subscriber },
      hang: () => process.kill(redis.pid, 'SIGSTOP'),
      resume: () => process.kill(redis.pid, 'SIGCONT'),
      cut: () => client.stream.destroy(),
    })
  } finally {
    client.disconnect()
    subscriber.disconnect()
  }
}

async function simulated(
  redis: TestRedis,
  run: (side: Side) => Promise<unknown>,
): Promise<unknown> {
  const wire = await Wire.open({ host: LOOPBACK, port: redis.port })
  const world = new World(1)
  const restore = installTimers(world)
  const server = new SimRedisServer(world, wire)
  const actor = new Actor(world, 'client')
  const [client, subscriber] = [
    new SimRedis(world, server, actor, TIMEOUT_MS),
    new SimRedis(world, server, actor, TIMEOUT_MS),
  ]
  let result: unknown = 'no end'
  await wire.call('FLUSHALL')
  world.in(1, actor, async () => {
    await Promise.all([ready(client), ready(subscriber)])
    result = await run({
      ...{ client, subscriber },
      hang: () => {
        server.actor.frozenUntilMs = Infinity
      },
      resume: () => {
        world.thaw(server.actor)
      },
      cut: () => client.connection?.close('cut'),
    })
  })
  await world.run(CASE_MS)
  restore()
  wire.close()
  return result
}
