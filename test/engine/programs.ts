import { existsSync } from 'node:fs'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Apt, isDebian } from '@relay/tools/fetch/apt.js'
import { PRIVATE } from '@relay/tools/folders.js'

export const FOLDER = join(PRIVATE, 'engine')
/** Docker's engine with its libraries, from this system's own release. */
export const PROGRAMS = join(FOLDER, 'programs')
/** Compose, which older releases only have in Python. */
export const COMPOSE = join(FOLDER, 'compose')
/** What the base image is made of, and what the stand-ins add to it. */
export const BASE = join(FOLDER, 'base')
export const STAND_INS = join(FOLDER, 'stand-ins')

/** The release of Debian that images are made of, and the one that has Prometheus 3. */
const RELEASE = 'trixie'
const NEWEST = 'sid'

/** What a Node image needs: a shell, its commands and Node's libraries. */
const BASE_PACKAGES = ['base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'findutils']
const NODE_LIBRARIES = ['grep', 'sed', 'libstdc++6', 'libatomic1']

/** Why the engine cannot run on this machine, or null. */
export async function whyNot(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'it needs root'
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64'
  if (!(await isDebian(process.env.PATH ?? ''))) return 'this is neither Debian nor Ubuntu'
  return null
}

/** Fetches what is not there yet, each folder whole or not at all. */
export async function fetchPrograms(report: (line: string) => void): Promise<void> {
  const whole = { release: RELEASE, status: '/dev/null' }
  await once(PROGRAMS, report, async (into) => {
    await unpack({}, ['docker.io', 'iptables', 'iproute2'], into)
    // The package's scripts would have made it.
    if (!existsSync(join(into, 'usr/sbin/iptables')))
      await symlink('iptables-nft', join(into, 'usr/sbin/iptables'))
  })
  await once(COMPOSE, report, (into) =>
    unpack({ release: RELEASE }, ['docker-compose'], into, 'alone'),
  )
  await once(BASE, report, (into) => unpack(whole, [...BASE_PACKAGES, ...NODE_LIBRARIES], into))
  await once(STAND_INS, report, async (into) => {
    await unpack(whole, ['valkey-server', 'valkey-tools', 'nginx-light'], into)
    await unpack({ release: NEWEST }, ['prometheus'], into, 'alone')
  })
}

async function unpack(
  source: { readonly release?: string; readonly status?: string },
  packages: readonly string[],
  into: string,
  extent: 'whole' | 'alone' = 'whole',
): Promise<void> {
  const work = join(FOLDER, `apt-${source.release ?? 'own'}`)
  await mkdir(work, { recursive: true })
  const apt = await Apt.open(work, source)
  const isDone = await (extent === 'whole'
    ? apt.unpackWhole(packages, into)
    : apt.unpack(packages, into))
  if (!isDone) throw new Error(`${packages.join(', ')}: ${apt.lastProblem}`)
}

async function once(
  folder: string,
  report: (line: string) => void,
  fill: (into: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return
  report(`Fetching ${folder} …`)
  const work = `${folder}.new`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await fill(work)
  await rename(work, folder)
}
