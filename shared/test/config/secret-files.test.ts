import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnvironment } from '../../src/config/environment.js'
import { ConfigError } from '../../src/config/fault.js'
import { SECRETS } from '../../src/config/secret-files.js'

const folder = mkdtempSync(join(tmpdir(), 'relay-secrets-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const BASE = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function faultsOf(env: Record<string, string>): string[] {
  try {
    parseEnvironment(env, 9464)
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ where, problem }) => `${where} ${problem}`)
  }
  return []
}

it('every secret may stand in a file, with a line end', () => {
  const config = parseEnvironment(
    {
      ...{ MOENGAGE_APP_ID: 'A', MOENGAGE_DC: '02' },
      REDIS_URL_FILE: file('redis', 'redis://:pass@example.com:6379\n'),
      MOENGAGE_API_KEY_FILE: file('key', 'the key\n'),
      RELAY_PRODUCERS_FILE: file('producers', 'shop:a,crm:b\n'),
      RELAY_ADMIN_TOKEN_FILE: file('token', ' token\n'),
    },
    9464,
  )
  expect(config.redis).toEqual({ mode: 'single', url: 'redis://:pass@example.com:6379' })
  expect(config.ownWorkspace?.apiKey).toBe('the key')
  expect([...config.producers.keys()]).toEqual(['shop', 'crm'])
  expect(config.adminToken).toBe('token')
})

it('says which file is wrong, all at once, and never what is in it', () => {
  const faults = faultsOf({
    ...{ MOENGAGE_APP_ID: 'A', MOENGAGE_DC: '02' },
    REDIS_URL_FILE: join(folder, 'absent'),
    MOENGAGE_API_KEY_FILE: file('empty', '\n'),
    RELAY_ADMIN_TOKEN: 'one',
    RELAY_ADMIN_TOKEN_FILE: file('other', 'hunter2'),
  })
  expect(faults).toEqual([
    'REDIS_URL_FILE names a file that cannot be read',
    'MOENGAGE_API_KEY_FILE names an empty file',
    'RELAY_ADMIN_TOKEN_FILE is set together with RELAY_ADMIN_TOKEN',
  ])
})

it.each(SECRETS)('an empty %s_FILE is none', (name) => {
  expect(faultsOf({ ...BASE, [`${name}_FILE`]: '' })).toEqual([])
})
