import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { parseLog, startChild } from '@relay/tools/process/child.js'
import { freePort } from '@relay/tools/process/port.js'
import { startRedis, type TestRedis } from '../support/redis/test-redis.js'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

// ioredis prints a plain-text warning for a password that Redis does not need.
it.each(['api', 'worker'])(
  'what a library prints is a JSON line of the log of the %s',
  async (role) => {
    const url = new URL(redis.url)
    url.password = 'not-needed'
    const opsPort = String(await freePort())
    const child = await startChild({
      name: role,
      entry: join(ROOT, 'services', role, 'src/main.ts'),
      env: {
        ...{ REDIS_URL: url.href, OPS_PORT: opsPort, PORT: String(await freePort()) },
        ...{ MOENGAGE_APP_ID: 'DEMO', MOENGAGE_API_KEY: 'key' },
        MOENGAGE_BASE_URL: 'http://127.0.0.1:9',
      },
    })
    await child.waitForLine(/a password was supplied/)
    await child.stop()
    expect(child.lastLines().filter((line) => parseLog(line) === null)).toEqual([])
  },
)
