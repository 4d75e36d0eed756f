import fc from 'fast-check'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CredentialDirectory } from '../../src/config/credential-directory.js'
import { parseEnvironment } from '../../src/config/environment.js'
import { hashSecret, isBrokenHash, isHashed, Keyring } from '../../src/config/secret.js'

const BASE = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }
const folder = mkdtempSync(join(tmpdir(), 'relay-secret-'))

let files = 0
function file(text: string): string {
  const path = join(folder, `secret-${++files}`)
  writeFileSync(path, text)
  return path
}

describe('a keyring', () => {
  it('finds the holder of any secret, plain or hashed, and of nothing else', () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !isBrokenHash(s))
    const salt = fc.stringMatching(/^[a-z0-9]{1,64}$/)
    fc.assert(
      fc.property(
        fc.uniqueArray(secret, { minLength: 2, maxLength: 5 }),
        salt,
        (secrets, with_) => {
          const [absent = '', ...given] = secrets
          const configured = given.map((s, i) => (i % 2 === 0 ? hashSecret(s, with_) : s))
          const ring = new Keyring(new Map(configured.map((s, i) => [`p${i}`, [s]])))
          // What was found once is remembered.
          const twice = [...given.entries(), ...given.entries()]
          for (const [i, s] of twice) expect(ring.nameOf(s)).toBe(`p${i}`)
          expect([ring.nameOf(absent), ring.nameOf(absent)]).toEqual([null, null])
        },
      ),
    )
  })

  it('is empty without a secret, for any name', () => {
    const empty = new Keyring(new Map([['shop', []]]))
    expect([empty.isEmpty, empty.names]).toEqual([true, ['shop']])
    expect(new Keyring(new Map([['shop', ['a', 'b']]])).isEmpty).toBe(false)
  })

  it('finds the first of those who share a secret', () => {
    const shared = new Map([
      ['shop', ['a']],
      ['crm', ['a']],
    ])
    expect(new Keyring(shared).nameOf('a')).toBe('shop')
  })

  it('takes no hash for its secret', () => {
    const hashed = hashSecret('s', 'salt')
    expect(new Keyring(new Map([['shop', [hashed]]])).nameOf(hashed)).toBeNull()
  })

  it('is what sha256sum says of salt and secret', () => {
    // printf saltsecret | sha256sum
    expect(hashSecret('secret', 'salt')).toBe(
      'sha256$salt$bede90386d450cea8b77b822f8887065e4e5abf132c2f9dccfcc7fbd4cba5e35',
    )
  })
})

describe('a secret in the configuration', () => {
  const hex = 'a0'.repeat(32)

  it.each<[string, boolean, boolean]>([
    [`sha256$salt$${hex}`, true, false],
    [`sha256$${'s'.repeat(64)}$${hex.toUpperCase()}`, true, false],
    [`sha256$${'s'.repeat(65)}$${hex}`, false, true],
    [`sha256$$${hex}`, false, true],
    [`sha256$salt$${hex}0`, false, true],
    [`sha256$salt$${hex.slice(1)}`, false, true],
    [`sha256$salt$${hex} `, false, true],
    [`x sha256$salt$${hex}`, false, false],
    ['sha256', false, false],
    ['plain', false, false],
  ])('%s is a hash: %j, a broken one: %j', (configured, hashed, broken) =>
    expect([isHashed(configured), isBrokenHash(configured)]).toEqual([hashed, broken]),
  )
})

describe('secrets in files', () => {
  const load = (env: Record<string, string>) => {
    const directory = new CredentialDirectory(parseEnvironment({ ...BASE, ...env }, 9464))
    return {
      directory,
      faults: directory.load().map(({ where, problem }) => `${where}: ${problem}`),
    }
  }

  it('stand in lines or between commas, with comments', () => {
    const { directory } = load({
      RELAY_PRODUCERS_FILE: file('# ours\nshop:a:b\r\n\ncrm:c,crm:d\n'),
    })
    const { producers } = directory
    expect(['a:b', 'c', 'd'].map((s) => producers.nameOf(s))).toEqual(['shop', 'crm', 'crm'])
  })

  it.each([
    [{ RELAY_PRODUCERS_FILE: '/nowhere' }, /^RELAY_PRODUCERS_FILE \/nowhere: cannot be read/],
    [{ RELAY_PRODUCERS_FILE: file('shop:a\nhunter2') }, /entry 2 is not name:secret$/],
    [{ RELAY_PRODUCERS_FILE: file('shop:sha256$hunter2') }, /entry 1 has the prefix of a hash/],
    [{ RELAY_ADMIN_TOKEN_FILE: file('\n# none\n') }, /holds no token/],
    [{ RELAY_ADMIN_TOKEN_FILE: file('a\nsha256$hunter2$00') }, /token 2 has the prefix of a hash/],
  ])('that cannot be used are told without being quoted: %j', (env, words) => {
    const { faults } = load(env)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(words)
    expect(faults[0]).not.toContain('hunter2')
  })

  it.each(['MOENGAGE_API_KEY', 'RELAY_PRODUCERS', 'RELAY_ADMIN_TOKEN', 'REDIS_URL'])(
    'and in the environment at once are refused: %s',
    (name) => {
      const env = {
        ...BASE,
        REDIS_URL: 'redis://x',
        RELAY_PRODUCERS: 'a:b',
        RELAY_ADMIN_TOKEN: 't',
      }
      expect(() => parseEnvironment({ ...env, [`${name}_FILE`]: file('redis://y') }, 9464)).toThrow(
        new RegExp(`^${name}_FILE: is set together with ${name}`),
      )
    },
  )
})
