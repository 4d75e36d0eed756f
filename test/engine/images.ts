import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '@relay/tools/folders.js'
import { fetchNode } from '@relay/tools/node/fetch-node.js'
import { runCommand } from '@relay/tools/process/command.js'
import type { Engine } from './engine.js'
import { BASE, FOLDER, STAND_INS } from './programs.js'

const BASE_IMAGE = 'relay-engine/node:24'
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
const HERE = join(ROOT, 'test/engine')
/** The user of the official image, whom relay's own images run as. */
const NODE_USER = 'node:x:1000:1000::/home/node:/bin/sh\n'

/** A target of `stand-ins.Dockerfile` for each public image that Compose names. */
const STAND_IN_TARGETS = { grafana: 'grafana', prometheus: 'prometheus', proxy: 'nginx' } as const

/** relay's images, from its Dockerfile, on a base of Debian's packages and npm's Node 24. */
export async function buildImages(engine: Engine): Promise<void> {
  await addNode()
  await engine.run('sh', [
    '-c',
    `tar -C ${BASE} -c . | docker import -c 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - ${BASE_IMAGE}`,
  ])
  const { stdout } = await runCommand('git', ['rev-parse', 'HEAD'], { cwd: ROOT })
  for (const name of ['api', 'worker', 'simulator']) {
    await build(engine, ['--target', name, '--tag', `relay-${name}`, '.'], {
      NODE_IMAGE: BASE_IMAGE,
      VERSION: 'engine-test',
      REVISION: stdout.trim(),
    })
  }
  await buildStandIns(engine)
}

async function buildStandIns(engine: Engine): Promise<void> {
  await cp(join(HERE, 'grafana.mjs'), join(STAND_INS, 'grafana.mjs'))
  const text = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8')
  const { services } = parse(text) as { services: Record<string, { image?: string }> }
  const targets: Record<string, string> = { ...STAND_IN_TARGETS, redis: 'valkey' }
  for (const [service, { image }] of Object.entries(services)) {
    if (image === undefined) continue
    const target = targets[service]
    if (target === undefined) throw new Error(`${image} has no stand-in in ${HERE}`)
    const file = join(HERE, 'stand-ins.Dockerfile')
    const args = ['--file', file, '--target', target, '--tag', image, STAND_INS]
    await build(engine, args, { BASE: BASE_IMAGE })
  }
}

async function build(
  engine: Engine,
  args: readonly string[],
  given: Readonly<Record<string, string>>,
): Promise<void> {
  const options = Object.entries(given).flatMap(([key, value]) => [
    '--build-arg',
    `${key}=${value}`,
  ])
  // As behind a proxy with its own authority: both secrets of the build are used.
  const npmrc = join(FOLDER, 'npmrc')
  await writeFile(npmrc, `audit=false\n`)
  const secrets = [`id=npmrc,src=${npmrc}`, `id=ca,src=${AUTHORITIES}`]
  const withSecrets = existsSync(AUTHORITIES) ? secrets.flatMap((one) => ['--secret', one]) : []
  await engine.docker('build', '--quiet', '--network', 'host', ...options, ...withSecrets, ...args)
}

/** Node 24 from the npm registry, and npm, where the official image has them. */
async function addNode(): Promise<void> {
  const bin = join(BASE, 'usr/local/bin')
  if (existsSync(join(bin, 'npx'))) return
  const modules = join(BASE, 'usr/local/lib/node_modules')
  await Promise.all([bin, modules].map((folder) => mkdir(folder, { recursive: true })))
  const node = await fetchNode(24)
  if ('problem' in node) throw new Error(node.problem)
  await cp(join(node.bin, 'node'), join(bin, 'node'))
  // The npm that runs here: what is compared is the image, not npm.
  const { stdout } = await runCommand('npm', ['root', '--global'])
  await cp(join(stdout.trim(), 'npm'), join(modules, 'npm'), { recursive: true, dereference: true })
  const users = await readFile(join(BASE, 'usr/share/base-passwd/passwd.master'), 'utf8')
  const groups = await readFile(join(BASE, 'usr/share/base-passwd/group.master'), 'utf8')
  await writeFile(join(BASE, 'etc/passwd'), users + NODE_USER)
  await writeFile(join(BASE, 'etc/group'), `${groups}node:x:1000:\n`)
  for (const name of ['npm', 'npx'])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name))
}
