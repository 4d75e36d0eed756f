import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { levelReached } from '@relay/shared/redis/durability-level.js'
import { checkConfiguration, comparedWith, environmentToCheck } from '../src/check/configuration.js'
import { judgeRedis, type RedisFacts } from '../src/check/redis.js'
import { accessFrom } from '../src/settings.js'
import { FakeApi } from './console-double.js'
import type { Durability } from '@relay/shared/config/settings.js'

const GOOD: RedisFacts = {
  isReplica: false,
  version: '7.0.15',
  policy: 'noeviction',
  maxMemoryBytes: 1e9,
  usedMemoryBytes: 1e8,
  appends: true,
  fsync: 'everysec',
  lastWriteOk: true,
  replicas: 0,
  skewMs: 3,
}

it('a fit Redis passes every check', () => {
  expect(judgeRedis(GOOD, 'process').every(({ level }) => level === 'ok')).toBe(true)
})

it.each<[string, Partial<RedisFacts>, Durability, string, 'warning' | 'failed']>([
  ['an old version', { version: '6.0.9' }, 'process', 'Redis version', 'failed'],
  ['eviction', { policy: 'allkeys-lru' }, 'process', 'Redis eviction', 'failed'],
  ['no memory limit', { maxMemoryBytes: 0 }, 'process', 'Redis memory', 'warning'],
  ['hardly any memory left', { usedMemoryBytes: 9e8 }, 'process', 'Redis memory', 'failed'],
  ['no append-only file', { appends: false }, 'process', 'Redis persistence', 'failed'],
  ['a full disk', { lastWriteOk: false }, 'process', 'Redis persistence', 'failed'],
  ['everysec where disk is wanted', {}, 'disk', 'Durability', 'failed'],
  ['no replica where one is wanted', {}, 'replica', 'Durability', 'failed'],
  ['a clock off by seconds', { skewMs: -5_000 }, 'process', 'Redis clock', 'warning'],
  ['a clock off by a minute', { skewMs: 60_000 }, 'process', 'Redis clock', 'failed'],
])('%s is found, with a remedy', (_name, change, wanted, what, level) => {
  const finding = judgeRedis({ ...GOOD, ...change }, wanted).find((f) => f.what === what)
  expect(finding).toMatchObject({ level, remedy: expect.any(String) })
})

it('durability is judged as the api judges it', () => {
  const facts = [0, 1, 2].flatMap((replicas) =>
    [true, false].flatMap((appends) =>
      ['everysec', 'always', null].map((fsync) => ({ ...GOOD, replicas, appends, fsync })),
    ),
  )
  for (const wanted of ['process', 'disk', 'replica'] as const) {
    for (const one of facts) {
      const { problem } = levelReached(wanted, [{ ...one, expectedReplicas: one.replicas }])
      const finding = judgeRedis(one, wanted).find(({ what }) => what === 'Durability')
      expect(finding?.level).toBe(problem === null ? 'ok' : 'failed')
    }
  }
  const bare = judgeRedis({ ...GOOD, appends: false, replicas: 1 }, 'replica')
  expect(bare.filter(({ level }) => level === 'failed')).toEqual([])
  expect(bare.find(({ what }) => what === 'Redis persistence')?.level).toBe('warning')
})

it('under npm start it checks what that runs with, unless told otherwise', () => {
  const running = {
    MOENGAGE_APP_ID: 'DEMO',
    MOENGAGE_API_KEY: 'key',
    MOENGAGE_BASE_URL: 'http://127.0.0.1:9400',
    REDIS_URL: 'redis://127.0.0.1:1',
  }
  expect(environmentToCheck({ PATH: '/bin' }, running)).toEqual({ PATH: '/bin', ...running })
  const own = { MOENGAGE_APP_ID: 'OWN' }
  expect(environmentToCheck(own, running)).toBe(own)
  expect(environmentToCheck(own, null)).toBe(own)
})

it('beside an npm start with a real workspace it checks the Redis that this started', () => {
  const running = { OPS_PORT: '19464', REDIS_URL: 'redis://127.0.0.1:1' }
  const own = { MOENGAGE_APP_ID: 'OWN', REDIS_URL: '' }
  expect(environmentToCheck(own, running)).toEqual({ ...running, MOENGAGE_APP_ID: 'OWN' })
  const elsewhere = { MOENGAGE_APP_ID: 'OWN', REDIS_URL: 'redis://other' }
  expect(environmentToCheck(elsewhere, running).REDIS_URL).toBe('redis://other')
  const inFile = { MOENGAGE_APP_ID: 'OWN', REDIS_URL_FILE: '/secrets/redis' }
  expect(environmentToCheck(inFile, running).REDIS_URL).toBeUndefined()
})

it('every fault of the environment is named at once', () => {
  const { findings, config } = checkConfiguration({
    PORT: 'x',
    RELAY_LEASE_MS: '1',
    MOENGAGE_DC: '02',
  })
  expect(config).toBeNull()
  const where = findings.filter(({ level }) => level === 'failed').map(({ what }) => what)
  expect(where).toEqual(expect.arrayContaining(['PORT', 'RELAY_LEASE_MS', 'MOENGAGE_APP_ID']))
})

it('what is weak is warned of, without the secret', () => {
  const { findings } = checkConfiguration({
    MOENGAGE_APP_ID: 'APP',
    MOENGAGE_API_KEY: 'key',
    MOENGAGE_BASE_URL: 'http://moengage.example',
    RELAY_PRODUCERS: 'shop:short',
  })
  const warnings = findings.filter(({ level }) => level === 'warning')
  expect(warnings.map(({ what }) => what)).toEqual([
    'RELAY_ADMIN_TOKEN',
    'RELAY_PRODUCERS',
    'workspace APP',
  ])
  expect(JSON.stringify(findings)).not.toContain('"short"')
})

it('an exported REDIS_URL does not hide the relay that npm start runs', () => {
  const running = { MOENGAGE_APP_ID: 'DEMO', REDIS_URL: 'redis://127.0.0.1:1' }
  const env = { REDIS_URL: 'redis://127.0.0.1:1' }
  expect(environmentToCheck(env, running).MOENGAGE_APP_ID).toBe('DEMO')
})

it('the operator API is looked for at the port of the running npm start', () => {
  const url = (env: Record<string, string>) =>
    accessFrom({ token: 't' }, env, () => ({ OPS_PORT: '19464' })).url
  expect(url({})).toBe('http://127.0.0.1:19464')
  expect(url({ OPS_PORT: '9999' })).toBe('http://127.0.0.1:9999')
})

it('a replica is the only fault that is told of it: it takes no writes', () => {
  const [only, ...more] = judgeRedis({ ...GOOD, isReplica: true }, 'process')
  expect(more).toEqual([])
  expect(only).toMatchObject({ level: 'failed', what: 'Redis role' })
  expect(only?.remedy).toContain('REDIS_URL')
})

it('an environment without any workspace is named as not that of the services', () => {
  const { findings } = checkConfiguration({})
  expect(findings.map(({ what }) => what)).toEqual(['workspaces'])
  expect(findings[0]?.remedy).toContain('environment of the services')
})

it('other workspaces than those of the running api are named', () => {
  expect(comparedWith(['A', 'B'], ['B', 'A'], 'http://x')).toEqual([])
  const [finding] = comparedWith(['A'], [], 'http://x')
  expect(finding?.detail).toContain(
    'http://x serves other workspaces (A) than this shell names (none)',
  )
})

it.each([
  ['https://api-02.moengage.com/v1/transition', 1],
  ['https://api-02.moengage.com/v1/', 1],
  ['https://gateway.example/moengage', 0],
  ['https://api-02.moengage.com', 0],
])(
  'a base URL %s with a path of the API is warned of (%i), because relay adds it',
  (url, count) => {
    const env = { MOENGAGE_APP_ID: 'APP', MOENGAGE_API_KEY: 'k', MOENGAGE_BASE_URL: url }
    const { findings } = checkConfiguration(env)
    const doubled = findings.filter(({ remedy }) => remedy?.includes('Remove /v1'))
    expect(doubled).toHaveLength(count)
  },
)

it('a key file that only workers have is a warning, with where to test the key; an empty one is a fault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-check-'))
  const file = join(folder, 'workspaces.json')
  const check = (apiKeyFile: string) => {
    const workspace = { appId: 'SHOP', apiKeyFile, dc: '02' }
    writeFileSync(file, JSON.stringify({ workspaces: [workspace] }))
    return checkConfiguration({ RELAY_WORKSPACES_FILE: file })
  }
  const absent = join(folder, 'absent')
  const own = { MOENGAGE_APP_ID: 'SHOP', MOENGAGE_API_KEY_FILE: absent, MOENGAGE_DC: '02' }
  for (const { findings, isFaulty, workspaces } of [check(absent), checkConfiguration(own)]) {
    expect(isFaulty).toBe(false)
    expect(workspaces.map(({ appId }) => appId)).toEqual(['SHOP'])
    const key = findings.find(({ what }) => what === 'Key of SHOP')
    expect(key).toMatchObject({
      level: 'warning',
      remedy: expect.stringContaining('--credentials where its file can be read'),
    })
  }
  const empty = join(folder, 'empty')
  writeFileSync(empty, '')
  const { findings, isFaulty } = check(empty)
  expect(isFaulty).toBe(true)
  expect(findings.find(({ level }) => level === 'failed')?.remedy).toContain('a readable file')
})

it('without its key, neither key nor host of a workspace is tried: only workers have the way there', async () => {
  const api = new FakeApi()
  await api.start()
  api.env = {
    ...{ MOENGAGE_APP_ID: 'SHOP', MOENGAGE_API_KEY_FILE: '/absent/key' },
    ...{ MOENGAGE_BASE_URL: 'http://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' },
  }
  const { out } = await api.run(['check', '--credentials', '--json'])
  await api.stop()
  const { findings } = JSON.parse(out.join('')) as { findings: { level: string; what: string }[] }
  expect(findings.filter(({ level }) => level === 'failed').map(({ what }) => what)).toEqual([
    'Redis',
  ])
})
