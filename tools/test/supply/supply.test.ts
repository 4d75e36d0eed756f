import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../src/folders.js'
import { suspicions } from './secrets.js'

/** Licences that allow shipping in a closed product as long as their notices are kept. */
const PERMISSIVE = /^\(?(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0)\b/

interface Locked {
  readonly license?: string
  readonly dev?: boolean
  readonly link?: boolean
  readonly integrity?: string
}

const LOCKED = (
  JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
).packages

test('every locked package is known by the digest of its contents', () => {
  const fetched = Object.entries(LOCKED).filter(
    ([path, { link }]) => path.includes('node_modules/') && !link,
  )
  const unknown = fetched.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
  expect(fetched.length).toBeGreaterThan(100)
  expect(unknown.map(([path]) => path)).toEqual([])
})

test('no install runs the scripts of packages', () => {
  for (const file of [
    '.ci/run',
    '.github/workflows/ci.yml',
    'Dockerfile',
    'tools/bin/install.mjs',
  ]) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const installs = text.split('\n').filter((line) => /\bnpm ci |\['ci',/.test(line))
    expect([file, installs.length > 0]).toEqual([file, true])
    expect(installs.filter((line) => !line.includes('--ignore-scripts'))).toEqual([])
  }
})

test('every installed package that is not a development dependency has a permissive licence', () => {
  const shipped = Object.entries(LOCKED).filter(
    ([path, { dev, link, license }]) =>
      path.includes('node_modules/') && !dev && !link && license !== undefined,
  )
  expect(shipped.length).toBeGreaterThan(30)
  expect(shipped.filter(([, { license = '' }]) => !PERMISSIVE.test(license))).toEqual([])
})

describe('a secret in a file', () => {
  /** Written in two parts; otherwise this file would be reported itself. */
  const glued = (...parts: readonly string[]) => parts.join('')
  const random = (bytes: number) => randomBytes(bytes).toString('base64url')

  it.each([
    ['a private key', glued('-----BEGIN EC PRIV', `ATE KEY-----\\n${'A1b2'.repeat(12)}`)],
    ['a key of AWS', glued('AK', 'IAABCDEFGHIJKLMNOP')],
    ['a token of GitHub', glued('gh', `p_${'aB3'.repeat(12)}`)],
    ['a secret assigned', glued('MOENGAGE_API_KEY=', `xQ9${random(30)}`)],
    ['a secret assigned', glued('"apiKey": "', `qX7${random(30)}"`)],
  ])('is reported: %s', (what, text) => {
    expect(suspicions(`first\n${text}\n`)).toEqual([{ line: 2, what }])
  })

  it.each(['RELAY_ADMIN_TOKEN=the-token-of-operators', 'apiKeyFile: /etc/relay/keys/shop-key'])(
    'is not reported for %s',
    (text) => expect(suspicions(text)).toEqual([]),
  )

  it('is in no file of this repository', () => {
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    const found = files
      .split('\0')
      .filter((file) => file !== '' && !/\.(png|svg|ico)$|package-lock\.json$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(ROOT, file), 'utf8')
        return suspicions(text).map(({ line, what }) => `${file}:${line}: ${what}`)
      })
    expect(found).toEqual([])
  })
})
