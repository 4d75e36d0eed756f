import { majority } from '@relay/shared/redis/replication.js'
import { levelReached, lossRisk, type ServerFacts } from '../../src/redis/durability-level.js'

const server = (change: Partial<ServerFacts> = {}): ServerFacts => ({
  appends: true,
  fsync: 'everysec',
  replicas: 0,
  expectedReplicas: 0,
  ...change,
})

describe('the level of durability reached', () => {
  it.each([
    ['process', [server()], 'process'],
    ['process', [server({ appends: false })], 'none'],
    ['process', [server({ fsync: null })], 'process'],
    ['disk', [server()], 'process'],
    ['disk', [server({ fsync: 'always' })], 'disk'],
    ['disk', [server({ fsync: 'always' }), server()], 'process'],
    ['disk', [server({ fsync: null })], 'process'],
    ['disk', [server({ fsync: 'always', appends: false })], 'none'],
    ['replica', [server()], 'process'],
    ['replica', [server({ replicas: 1, expectedReplicas: 1 })], 'replica'],
    ['replica', [server({ replicas: 1, expectedReplicas: 2 })], 'replica'],
    ['replica', [server({ replicas: 1, expectedReplicas: 3 })], 'process'],
    ['replica', [server({ replicas: 0, expectedReplicas: 1, appends: false })], 'none'],
    ['disk', [], 'none'],
  ] as const)('%s wanted of %j: %s', (wanted, servers, level) => {
    const reached = levelReached(wanted, servers)
    expect(reached.level).toBe(level)
    // Exactly when the wanted level is missing, words say what to do.
    expect(reached.problem === null).toBe(level === wanted)
  })

  it('a write that a majority has survives the loss of any minority', () => {
    for (let replicas = 1; replicas < 10; replicas++) {
      const servers = replicas + 1
      const copies = majority(replicas) + 1
      const mostLost = Math.ceil(servers / 2) - 1
      expect(copies).toBeGreaterThan(mostLost)
    }
    expect(majority(0)).toBe(1)
  })
})

it.each([
  [{}, null],
  [{ neverEvicts: false, aofEnabled: false }, 'it may evict keys; it keeps no append-only file'],
  [{ aofEnabled: false, aofHealthy: false }, 'it keeps no append-only file'],
  [{ aofHealthy: false }, 'the last write or rewrite of its append-only file failed'],
])('Redis with %j could lose elements: %s', (facts, why) => {
  const risk = lossRisk({ neverEvicts: true, aofEnabled: true, aofHealthy: true, ...facts })
  expect(risk?.meaning ?? null).toBe(why && `Redis could lose accepted elements: ${why}`)
})
