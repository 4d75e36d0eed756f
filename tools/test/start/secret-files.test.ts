import { SECRETS_IN_FILES } from '@relay/shared/config/environment.js'
import type { ConfigFault } from '@relay/shared/config/fault.js'
import { withSecretFiles } from '../../src/start/credentials.js'

const FILES: Record<string, string> = { key: 'the key\n', empty: '\n' }

function read(path: string): string {
  const text = FILES[path]
  if (text === undefined) throw new Error('ENOENT')
  return text
}

function merged(env: Record<string, string>) {
  const faults: ConfigFault[] = []
  const result = withSecretFiles(env, faults, read)
  return { result, faults: faults.map(({ where, problem }) => `${where} ${problem}`) }
}

it.each(SECRETS_IN_FILES)('%s may stand in a file, with a line end', (name) => {
  const { result, faults } = merged({ [`${name}_FILE`]: 'key', PORT: '1' })
  expect(faults).toEqual([])
  expect(result[name]).toBe('the key')
  expect(result[`${name}_FILE`]).toBeUndefined()
  expect(result.PORT).toBe('1')
})

it('says which file is wrong, all at once, and never what is in it', () => {
  const { faults } = merged({
    REDIS_URL_FILE: 'absent',
    MOENGAGE_API_KEY_FILE: 'empty',
    RELAY_ADMIN_TOKEN: 'one',
    RELAY_ADMIN_TOKEN_FILE: 'key',
  })
  expect(faults).toEqual([
    'REDIS_URL_FILE names a file that cannot be read',
    'MOENGAGE_API_KEY_FILE names an empty file',
    'RELAY_ADMIN_TOKEN_FILE is set together with RELAY_ADMIN_TOKEN',
  ])
})

it.each(SECRETS_IN_FILES)('an empty %s_FILE is none', (name) => {
  expect(merged({ [`${name}_FILE`]: '' }).faults).toEqual([])
})
