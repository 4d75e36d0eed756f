import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT } from '../../../src/folders.js'
import { parse } from 'yaml'
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

test('no setting of a real workspace reaches the simulator, and both ways to name a host reach relay', () => {
  expect(JSON.stringify(compose.services.simulator!.environment)).not.toContain('MOENGAGE_')
  for (const name of ['api', 'worker']) {
    const given = compose.services[name]!.environment!
    expect(given.MOENGAGE_BASE_URL).toContain('${MOENGAGE_BASE_URL-')
    expect(given.MOENGAGE_DC).toContain('${MOENGAGE_DC')
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
