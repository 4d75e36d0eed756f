import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Apt, isDebian, lastLine } from '../debian/apt.js'
import { libraryPath } from '../debian/library-path.js'
import { runCommand } from '../process/command.js'
import type { RedisServerProgram } from './program.js'

type Fetched = { readonly program: RedisServerProgram } | { readonly problem: string }

/** Packages that can hold the server, and the programs in them that are one. */
const SOURCES = [
  // The server is a link in `redis-server` to this file of `redis-tools`; it goes by its own name.
  { package: 'redis-tools', file: 'usr/bin/redis-check-rdb', server: 'redis-server' },
  { package: 'valkey-tools', file: 'usr/bin/valkey-check-rdb', server: 'valkey-server' },
  { package: 'redis-server', file: 'usr/bin/redis-server', server: 'redis-server' },
  { package: 'valkey-server', file: 'usr/bin/valkey-server', server: 'valkey-server' },
] as const

/** Name of the folder that holds the unpacked packages. */
const FETCHED = 'redis-server'
/** Libraries of libraries: as deep as their dependencies are followed. */
const LIBRARY_ROUNDS = 3

/** The server that an earlier run fetched, or null. */
export async function fetchedServer(cacheDir: string): Promise<RedisServerProgram | null> {
  return serverIn(join(cacheDir, FETCHED))
}

/**
 * Fetches the server from the distribution's own packages and unpacks it under `cacheDir`, without
 * root and without touching the system. Several processes may do so at once: each unpacks on its
 * own, and the first to finish wins by an atomic rename.
 */
export async function fetchFromDebian(
  cacheDir: string,
  path: string,
  report: (line: string) => void,
): Promise<Fetched> {
  if (!(await isDebian(path))) return { problem: 'this is neither Debian nor Ubuntu' }
  report('Fetching a private Redis server from the distribution’s packages …')
  await mkdir(cacheDir, { recursive: true })
  const work = await mkdtemp(join(cacheDir, 'fetch-'))
  try {
    const apt = await Apt.open(work)
    const unpacked = join(work, 'root')
    for (const source of SOURCES) {
      if (!(await apt.unpack(source.package, unpacked))) continue
      if (!existsSync(join(unpacked, source.file))) continue
      await nameServer(unpacked, source)
      await addLibraries(apt, source, unpacked)
      return await publish(unpacked, join(cacheDir, FETCHED))
    }
    return { problem: `its packages could not be fetched (${apt.lastProblem})` }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function nameServer(unpacked: string, source: (typeof SOURCES)[number]): Promise<void> {
  const link = join(unpacked, 'usr/bin', source.server)
  if (!existsSync(link)) await symlink(source.file.replace('usr/bin/', ''), link)
}

async function addLibraries(
  apt: Apt,
  source: (typeof SOURCES)[number],
  unpacked: string,
): Promise<void> {
  let wanted: readonly string[] = [source.package]
  for (let round = 0; round < LIBRARY_ROUNDS && wanted.length > 0; round++) {
    if (await isComplete(join(unpacked, source.file), unpacked)) return
    const libraries = (await Promise.all(wanted.map((name) => apt.missingLibraries(name)))).flat()
    for (const library of libraries) await apt.unpack(library, unpacked)
    wanted = libraries
  }
}

async function isComplete(program: string, unpacked: string): Promise<boolean> {
  const env = { ...process.env, ...libraryPath(unpacked) }
  const { stdout } = await runCommand('ldd', [program], { env })
  return !stdout.includes('not found')
}

async function publish(unpacked: string, target: string): Promise<Fetched> {
  const { problem } = await tryServer(unpacked)
  if (problem !== null) return { problem: `the fetched server does not run (${problem})` }
  try {
    await rename(unpacked, target)
  } catch {
    // Another process was first, or what lies there is broken: then it makes way.
    if ((await serverIn(target)) === null) {
      await rm(target, { recursive: true, force: true })
      await rename(unpacked, target)
    }
  }
  const program = await serverIn(target)
  return program === null ? { problem: 'the fetched server does not run' } : { program }
}

async function serverIn(root: string): Promise<RedisServerProgram | null> {
  return (await tryServer(root)).program
}

type Tried =
  | { readonly program: RedisServerProgram; readonly problem: null }
  | { readonly program: null; readonly problem: string }

async function tryServer(root: string): Promise<Tried> {
  const env = libraryPath(root)
  let problem = 'it is not there'
  for (const { server } of SOURCES) {
    const path = join(root, 'usr/bin', server)
    if (!existsSync(path)) continue
    const tried = await runCommand(path, ['--version'], { env: { ...process.env, ...env } })
    if (tried.code === 0) return { program: { path, env }, problem: null }
    problem = lastLine(tried.stderr)
  }
  return { program: null, problem }
}
