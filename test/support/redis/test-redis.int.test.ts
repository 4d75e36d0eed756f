import { ROOT } from '@relay/tools/folders.js'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { ownRedisIsPossible, startRedis } from './test-redis.js'
import { startChild } from '@relay/tools/process/child.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { join } from 'node:path'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const withOwnRedis = ownRedisIsPossible ? describe : describe.skip

withOwnRedis('a Redis for tests', () => {
  it('keeps what was written through kill -9 and restart when it appends', async () => {
    const redis = await startRedis({ appendonly: 'always' })
    expect(await askRedis(redis.port, 'SET customer 1')).toBe('+OK')
    const { pid } = redis
    await redis.kill9()
    expect(isAlive(pid)).toBe(false)
    expect(await askRedis(redis.port, 'PING')).toBeNull()
    await redis.restart()
    expect(redis.pid).not.toBe(pid)
    expect(await askRedis(redis.port, 'EXISTS customer')).toBe(':1')
    await redis.stop()
    expect(existsSync(redis.dir)).toBe(false)
  })

  it('never evicts, and takes the limit and settings it is given', async () => {
    const redis = await startRedis({ maxmemory: '5mb', extra: ['--hz', '20'] })
    expect(await askRedis(redis.port, 'CONFIG GET maxmemory-policy')).toBe('noeviction')
    expect(await askRedis(redis.port, 'CONFIG GET maxmemory')).toBe('5242880')
    expect(await askRedis(redis.port, 'CONFIG GET hz')).toBe('20')
    await redis.stop()
  })

  it('hangs while paused, connections open, and continues after', async () => {
    const redis = await startRedis({ own: true })
    redis.pause()
    const socket = connect(redis.port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    expect(await askRedis(redis.port, 'PING', 200)).toBeNull()
    redis.resume()
    expect(await askRedis(redis.port, 'PING')).toBe('+PONG')
    socket.destroy()
    await redis.stop()
  })

  it('dies with the process that started it, even when that is killed', async () => {
    const owner = await startChild({
      name: 'owner',
      entry: join(ROOT, 'test/support/redis/redis-owner.ts'),
    })
    const line = await owner.waitForLine(/^pid \d+$/)
    const pid = Number(line.split(' ')[1])
    expect(isAlive(pid)).toBe(true)
    owner.kill('SIGKILL')
    await waitFor(() => !isAlive(pid), { what: 'the orphaned Redis to be gone' })
  })
})

withOwnRedis('the Redis of REDIS_URL', () => {
  it('is used as it is, keeps what is not the tests’, and is never killed', async () => {
    const theirs = await startRedis({ own: true })
    const before = process.env.REDIS_URL
    process.env.REDIS_URL = theirs.url
    try {
      const redis = await startRedis()
      expect(redis.url).toBe(theirs.url)
      const prefix = redis.freshPrefix()
      await askRedis(redis.port, `SET {${prefix}:0}:chunk 1`)
      await askRedis(redis.port, 'SET relay:kept 1')
      await expect(redis.kill9()).rejects.toThrow(/startRedis\(\{ own: true \}\)/)
      await redis.stop()
      expect(await askRedis(redis.port, 'DBSIZE')).toBe(':1')
    } finally {
      if (before === undefined) delete process.env.REDIS_URL
      else process.env.REDIS_URL = before
      await theirs.stop()
    }
  })
})
