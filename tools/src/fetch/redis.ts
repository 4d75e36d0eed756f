import { existsSync } from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'
import { fetchOnce, lastLine, libraryPath, type Apt, type Program } from './apt.js'

export interface FindOptions {
  /** Where a fetched server is kept. */
  readonly cacheDir?: string
  /** Instead of the environment's PATH. */
  readonly path?: string
  readonly report?: (line: string) => void
}

/** In order of preference; both speak everything that relay uses. */
const SERVER_NAMES = ['redis-server', 'valkey-server']
/** Packages that can hold the server, and the programs in them that are one. */
const SOURCES = [
  // The server is a link in `redis-server` to this file of `redis-tools`; it goes by its own name.
  { package: 'redis-tools', file: 'usr/bin/redis-check-rdb', server: 'redis-server' },
  { package: 'valkey-tools', file: 'usr/bin/valkey-check-rdb', server: 'valkey-server' },
  { package: 'redis-server', file: 'usr/bin/redis-server', server: 'redis-server' },
  { package: 'valkey-server', file: 'usr/bin/valkey-server', server: 'valkey-server' },
] as const
/** Libraries of libraries: as deep as their dependencies are followed. */
const LIBRARY_ROUNDS = 3

const REMEDIES = [
  'Debian, Ubuntu:  sudo apt-get install -y redis-server',
  'macOS:           brew install redis',
  'Docker:          docker run -d -p 6379:6379 redis:7 redis-server --appendonly yes --maxmemory-policy noeviction',
  '                 and set REDIS_URL=redis://127.0.0.1:6379',
]

export class NoRedisServer extends Error {
  constructor(why: string) {
    super(
      `No Redis server: REDIS_URL is not set, there is no ${SERVER_NAMES.join(' or ')} on PATH, and ${why}.\n` +
        `Install one, in one line:\n${REMEDIES.map((line) => `  ${line}`).join('\n')}`,
    )
    this.name = 'NoRedisServer'
  }
}

/**
 * A Redis or Valkey server: on PATH, fetched before, or fetched now from the Debian or Ubuntu
 * archive into relay's private folder (no root, no service). Throws `NoRedisServer`, which names
 * the remedies. Safe to call from several processes at once.
 */
export async function findRedisServer(options: FindOptions = {}): Promise<Program> {
  const { cacheDir = PRIVATE, path, report = () => undefined } = options
  const installed = SERVER_NAMES.flatMap((name) => onPath(name, path) ?? [])[0]
  if (installed !== undefined) return { path: installed, env: {} }
  const target = join(cacheDir, 'redis-server')
  const cached = await tryServer(target)
  if (typeof cached !== 'string') return cached
  const problem = await fetchOnce({
    ...{ target, path },
    onStart: () => report('Fetching a private Redis server from the distribution’s packages …'),
    fill: (apt, into) => fill(apt, into, target),
  })
  const fetched = await tryServer(target)
  if (problem === null && typeof fetched !== 'string') return fetched
  throw new NoRedisServer(problem ?? 'the fetched server does not run')
}

async function fill(apt: Apt, into: string, target: string): Promise<string | null> {
  for (const source of SOURCES) {
    if (!(await apt.unpack(source.package, into))) continue
    if (!existsSync(join(into, source.file))) continue
    const link = join(into, 'usr/bin', source.server)
    if (!existsSync(link)) await symlink(source.file.replace('usr/bin/', ''), link)
    await addLibraries(apt, source, into)
    const tried = await tryServer(into)
    if (typeof tried === 'string') return `the fetched server does not run (${tried})`
    // A broken one that lies there makes way.
    if (typeof (await tryServer(target)) === 'string')
      await rm(target, { recursive: true, force: true })
    return null
  }
  return `its packages could not be fetched (${apt.lastProblem})`
}

async function addLibraries(
  apt: Apt,
  source: (typeof SOURCES)[number],
  into: string,
): Promise<void> {
  let wanted: readonly string[] = [source.package]
  for (let round = 0; round < LIBRARY_ROUNDS && wanted.length > 0; round++) {
    const env = { ...process.env, ...libraryPath(into) }
    const { stdout } = await runCommand('ldd', [join(into, source.file)], { env })
    if (!stdout.includes('not found')) return
    wanted = (await Promise.all(wanted.map((name) => apt.missingLibraries(name)))).flat()
    for (const library of wanted) await apt.unpack(library, into)
  }
}

/** The server below `root`, or why it does not run. */
async function tryServer(root: string): Promise<Program | string> {
  const env = libraryPath(root)
  let problem = 'it is not there'
  for (const { server } of SOURCES) {
    const path = join(root, 'usr/bin', server)
    if (!existsSync(path)) continue
    const tried = await runCommand(path, ['--version'], { env: { ...process.env, ...env } })
    if (tried.code === 0) return { path, env }
    problem = lastLine(tried.stderr)
  }
  return problem
}
