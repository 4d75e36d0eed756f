import { waitFor } from '@relay/tools/wait-for.js'
import { GateStore } from '../../src/gate/gate-store.js'
import { workspaceKeys } from '../../src/queue/keys.js'
import { readRedisMs } from '../../src/redis/redis-clock.js'
import { readdirSync } from 'node:fs'
import { startRedis, type TestRedis } from '@relay/test/support/redis/test-redis.js'
import { connectRedis, type RedisClient } from '../../src/redis/connect.js'
import { luaText, runScript, type Script, type ScriptArgument } from '../../src/redis/script.js'

const QUESTIONS = ['Repeated?', 'Late?', 'Reordered?', 'Claim lost?']
/** Text that is put before other scripts. */
const PARTS = new Set(['ledger-clock.lua'])

type Arguments = readonly ScriptArgument[]
interface Row {
  readonly script: string
  readonly before?: string
  readonly keys: readonly string[]
  /** Brings the keys into the state in which the first call means something. */
  readonly given?: (client: RedisClient, key: (name: string) => string) => Promise<unknown>
  readonly older: Arguments
  readonly newer: Arguments
}

const letter = (id: string, text: string) => [id, 1, 1, 'customer', 'request', 7, text]
const LETTERS = ['letters', 'last', 'order', 'customers', 'requests', 'reason', 'bytes']
const LEDGER = ['gate', 'ledger', 'expiry', 'cost', 'waiters', 'open', 'members']
const reserveOf = (id: string) => [
  ...[id, 'realtime', 1, 1, 0, 9, 9, 9, 60_000, 15_000, 0, '', 1, '', 1, 1, 0, 0.1, 0.05, 0, ''],
  'w',
]

const ROWS: readonly Row[] = [
  { script: 'backlog', keys: ['a', 'b', 'c'], older: ['job:'], newer: ['job:'] },
  { script: 'ledger-read', keys: ['ledger', 'expiry', 'cost', 'open'], older: [], newer: [] },
  {
    ...{ script: 'gate', keys: ['gate'], older: ['9000000000000', 'a', 'c', 'A'] },
    newer: ['9000000000001', 'b', 'c', 'A'],
    // Later than now, so that the version counts.
    given: (client, key) => client.hset(key('gate'), 'version', '9000000000000'),
  },
  { script: 'scale', keys: ['scale'], older: ['0', 'a'], newer: ['1', 'b'] },
  {
    ...{ script: 'learned', keys: ['learned'] },
    ...{ older: ['ceiling', '', 'a', 'c', 'A'], newer: ['ceiling', 'a', 'b', 'c', 'A'] },
  },
  { script: 'replay-wave', keys: ['waves', 'erasures', 'bars'], older: ['a', 2_000], newer: ['b', 2_000] }, // prettier-ignore
  { script: 'bar-replays', keys: ['bars', 'waves'], older: ['a', 2_000], newer: ['b', 2_000] },
  { script: 'dead-letters-add', keys: LETTERS, older: letter('1', 'a'), newer: letter('2', 'b') },
  {
    ...{ script: 'dead-letters-remove', keys: LETTERS, older: ['1', 1, 'customer', 'request', 7] },
    newer: ['2', 1, 'customer', 'request', 7],
    given: (client, key) => client.hset(key('letters'), '1', 'a', '2', 'b', '3', 'c'),
  },
  {
    ...{ script: 'layout', keys: ['layout'], older: ['8', 'flip', '0', 'c', 'A', 'live'] },
    newer: ['8', 'drained', '0', 'c', 'A', 'live'],
    given: (client, key) => client.hset(key('layout'), 'generation', 0, 'partitions', 4, 'next', 8),
  },
  {
    ...{ script: 'idempotency-end', keys: ['today', 'yesterday', 'tomorrow'] },
    older: ['digest', 'id', 'answered', 'plain', 'bytes', 320],
    newer: ['digest', 'id', 'unknown', '', 'bytes', 320],
    given: (client, key) => {
      const record = JSON.stringify({ id: 'id', body: 'b', since: 1, until_ms: 0 })
      return client.hset(key('today'), 'digest', record)
    },
  },
  {
    ...{ script: 'reserve', before: 'ledger-clock', keys: LEDGER },
    ...{ older: reserveOf('1'), newer: reserveOf('2') },
  },
  {
    ...{ script: 'recover-ledger', before: 'ledger-clock' },
    keys: ['ledger', 'expiry', 'cost', 'recovery', 'members'],
    older: ['run', 'w', '', 75_000, 0, 0, 0, 'r1', '1,1,0,realtime', 9_000],
    newer: ['run', 'w', '', 75_000, 0, 0, 0, 'r2', '2,2,0,backfill', 9_000],
  },
  {
    ...{ script: 'answer', before: 'ledger-clock', keys: ['ledger', 'expiry', 'cost', 'open'] },
    ...{ older: ['r1', -1, ''], newer: ['r2', -1, ''] },
    given: async (client, key) => {
      await client.hset(key('ledger'), 'users', 3)
      await client.hset(key('cost'), 'r1', '1,0,0,realtime', 'r2', '2,0,0,realtime')
    },
  },
]

function scriptOf({ script, before, keys }: Row): Script {
  const text = (before === undefined ? '' : luaText(`${before}.lua`)) + luaText(`${script}.lua`)
  return { name: `row-${script}`, text, keys: keys.length }
}

describe('every script', () => {
  let redis: TestRedis
  let client: RedisClient

  beforeAll(async () => {
    redis = await startRedis({ appendonly: false })
    client = connectRedis({ mode: 'single', url: redis.url }, { commandTimeoutMs: 5_000 })
    await new Promise((resolve) => client.once('ready', resolve))
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  /** What all keys hold after these calls, without the times at which they ran. */
  async function after(row: Row, calls: readonly Arguments[]): Promise<string[]> {
    const prefix = redis.freshPrefix()
    const key = (name: string) => `${prefix}:${name}`
    await row.given?.(client, key)
    for (const args of calls) await runScript(client, scriptOf(row), row.keys.map(key), args)
    const found: string[] = []
    for (const name of await client.keys(`${prefix}:*`)) {
      const type = await client.type(name)
      const fields =
        type === 'hash'
          ? Object.entries(await client.hgetall(name)).filter(
              ([field]) => !['clock', 'redis', 'since', 'previous'].includes(field),
            )
          : type === 'zset'
            ? (await client.zrange(name, '0', '-1')).sort()
            : await client.get(name)
      // cjson writes the members of an object in no fixed order.
      const text = JSON.stringify(fields).replace(/\{.*\}/, (json) =>
        json.slice(1, -1).split(',').sort().join(),
      )
      found.push(`${name.slice(prefix.length)} ${text.replaceAll(/[{}]/g, '')}`)
    }
    return found.sort()
  }

  it.each(readdirSync(new URL('../../lua/', import.meta.url)).filter((file) => !PARTS.has(file)))(
    'answers the four questions: %s',
    (file) => {
      const [header = ''] = luaText(file).split(']]')
      const answered = QUESTIONS.filter((question) => header.includes(`\n  ${question} `))
      expect(answered).toEqual(QUESTIONS)
    },
  )

  it("a gate's version is not repeated after Redis lost its last writes", async () => {
    const prefix = redis.freshPrefix()
    const gate = new GateStore(client, prefix, 'A')
    const lost = await gate.change('0', 'open')
    await client.del(workspaceKeys(prefix, 'A').gate)
    const isLater = async () => (await readRedisMs(client)) > Number(lost.version)
    await waitFor(isLater, { what: 'the next millisecond' })
    const paused = await gate.change('0', 'paused')
    expect(paused).toMatchObject({ changed: true, record: 'paused' })
    expect(paused.version).not.toBe(lost.version)
    expect((await gate.change(lost.version, 'open')).changed).toBe(false)
  })

  it.each(ROWS)('$script changes nothing when it is repeated', async (row) =>
    expect(await after(row, [row.older, row.older])).toEqual(await after(row, [row.older])),
  )

  it.each(ROWS)('$script undoes nothing of a newer call when it is executed late', async (row) => {
    const once = await after(row, [row.older, row.newer])
    expect(await after(row, [row.older, row.newer, row.older])).toEqual(once)
  })
})
