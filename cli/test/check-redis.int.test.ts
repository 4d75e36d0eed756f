import { systemClock } from '@relay/shared/clock.js'
import { parseEnvironment } from '@relay/shared/config/environment.js'
import { startRedis } from '@relay/test/support/redis/test-redis.js'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { checkRedis } from '../src/check/redis.js'

const workspace = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '01' }
const check = (url: string) =>
  checkRedis(parseEnvironment({ ...workspace, REDIS_URL: url }, 9464), systemClock)

it('why Redis cannot be used, and the remedy', async () => {
  const redis = await startRedis({ own: true })
  const failed = { level: 'failed', what: 'Redis' }
  try {
    await askRedis(redis.port, 'CONFIG SET requirepass right')
    expect(await check(redis.url)).toEqual([
      { ...failed, detail: 'Redis requires a password', remedy: 'Add it to REDIS_URL' },
    ])
    expect(await check(redis.url.replace('//', '//:wrong@'))).toEqual([
      { ...failed, detail: 'Redis refuses the password', remedy: 'Correct it in REDIS_URL' },
    ])
  } finally {
    await redis.stop()
  }
  const gone = await check(redis.url)
  expect(gone[0]?.detail).toBe('nothing listens at the address of Redis')
})
