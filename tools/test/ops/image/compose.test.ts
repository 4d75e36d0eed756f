import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'
import { parse } from 'yaml'
import { parseEnvironment } from '@relay/shared/config/environment.js'
import { FileWorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { SETTINGS } from '@relay/shared/config/settings.js'

interface Service {
  readonly build?: { readonly target: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly command?: readonly string[]
}

const FILE = join(ROOT, 'docker-compose.yml')
const compose = parse(readFileSync(FILE, 'utf8'), { merge: true }) as {
  services: Record<string, Service>
}

test('dclint, which knows the schema of compose files, finds no error', () => {
  const bin = createRequire(__filename).resolve('dclint/package.json')
  const program = join(bin, '..', 'bin', 'dclint.cjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--quiet', FILE])
  expect([status, `${stdout.toString()}${stderr.toString()}`.trim()]).toEqual([0, ''])
})

test('every file that is mounted exists, and every build target is a stage of the Dockerfile', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
  for (const service of Object.values(compose.services)) {
    for (const volume of service.volumes ?? []) {
      const source = volume.split(':')[0] ?? ''
      if (source.startsWith('.'))
        expect([source, existsSync(join(ROOT, source))]).toEqual([source, true])
    }
    if (service.build) expect(dockerfile).toContain(` AS ${service.build.target}\n`)
  }
})

test('api and worker are given only variables that relay knows', () => {
  for (const name of ['api', 'worker']) {
    const given = Object.keys(compose.services[name]!.environment!)
    expect(given.filter((variable) => !(variable in SETTINGS))).toEqual([])
  }
})

test('the worker can be scaled: it has neither a published port nor a name', () => {
  expect(compose.services.worker!.ports).toBeUndefined()
  expect(compose.services.worker).not.toHaveProperty('container_name')
})

test('Redis keeps an append-only file and never evicts', () => {
  expect(compose.services.redis!.command!.join(' ')).toMatch(
    /--appendonly yes .*--maxmemory-policy noeviction/,
  )
})

test('no setting of a real workspace reaches the simulator', () => {
  expect(JSON.stringify(compose.services.simulator!.environment)).not.toContain('MOENGAGE_')
})

/** The environment of a service as compose interpolates it; the forms that this file uses. */
function environmentOf(name: string, env: Readonly<Record<string, string>>) {
  const of = (text: string) =>
    text.replaceAll(/\$\{(\w+):([-+])([^}]*)\}/g, (_all, variable: string, form, word: string) => {
      const value = env[variable] ?? ''
      return (value !== '') === (form === '+') ? word : value
    })
  const entries = Object.entries(compose.services[name]!.environment!)
  return Object.fromEntries(entries.map(([variable, text]) => [variable, of(text)]))
}

const KEY = { MOENGAGE_APP_ID: 'SHOP', MOENGAGE_API_KEY: 'real' }
const REAL = 'https://api-02.moengage.com'

test.each([
  [{}, { DEMO: 'http://simulator:9400' }],
  [{ ...KEY, MOENGAGE_DC: '02' }, { SHOP: REAL }],
  [{ ...KEY, MOENGAGE_BASE_URL: REAL }, { SHOP: REAL }],
  [KEY, 'MOENGAGE_BASE_URL: is not set, and neither is MOENGAGE_DC'],
  [
    { MOENGAGE_API_KEY: 'real', MOENGAGE_DC: '02' },
    'MOENGAGE_APP_ID: is not set, but other settings',
  ],
  [
    { ...KEY, MOENGAGE_DC: '02', MOENGAGE_BASE_URL: REAL },
    'MOENGAGE_DC: is set together with MOENGAGE_BASE_URL; remove one',
  ],
] as const)('with %j relay delivers to %j', (given, expected) => {
  for (const name of ['api', 'worker']) {
    const environment = environmentOf(name, given)
    const [source, target] = compose.services[name]!.volumes![0]!.split(':') as [string, string]
    const file = environment.RELAY_WORKSPACES_FILE!.replace(target, join(ROOT, source))
    const load = () => {
      const directory = new FileWorkspaceDirectory(
        parseEnvironment({ ...environment, RELAY_WORKSPACES_FILE: file }, 1),
      )
      expect(directory.load()).toEqual([])
      return Object.fromEntries(directory.all().map(({ appId, baseUrl }) => [appId, baseUrl]))
    }
    if (typeof expected === 'string') expect(load).toThrow(expected)
    else expect(load()).toEqual(expected)
  }
})

test('a stopped api costs a post at most 2 s: the proxy connects to the other one', () => {
  const proxy = readFileSync(join(ROOT, 'ops/compose/nginx/relay.conf'), 'utf8')
  for (const server of proxy.split(/^server /m).slice(1)) {
    expect(server).toContain('proxy_next_upstream error timeout;')
    expect(server).toContain('proxy_connect_timeout 2s;')
    expect(server).not.toContain('non_idempotent')
  }
})

test('Redis asks for a password, which relay and the health check have', () => {
  const password = '${REDIS_PASSWORD:-staging-redis}'
  const { command, environment } = compose.services.redis!
  expect(command!.join(' ')).toContain(`--requirepass ${password}`)
  expect(environment!.REDISCLI_AUTH).toBe(password)
  for (const name of ['api', 'worker']) {
    expect(compose.services[name]!.environment!.REDIS_URL).toBe(`redis://:${password}@redis:6379`)
  }
})
