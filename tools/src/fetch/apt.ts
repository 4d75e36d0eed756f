import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onPath, runCommand } from '../process/command.js'

const APT_TIMEOUT_MS = 180_000
/** Plain words on standard output, and no questions. */
const ENVIRONMENT = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }

/** Whether packages of Debian or Ubuntu can be fetched and unpacked here. */
export async function isDebian(path: string): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const family = /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)
  return family && onPath('apt-get', path) !== null && onPath('dpkg', path) !== null
}

/** A program that can be run here, and what its environment needs. */
export interface Program {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

export interface FetchOptions {
  /** The folder to fetch, which is there whole or not at all. */
  readonly target: string
  /** Instead of the environment's PATH. */
  readonly path?: string | undefined
  /** Another release of Debian than the system's own. */
  readonly release?: string | undefined
  /** Called before it fetches anything. */
  readonly onStart?: () => void
  /** Unpacks packages into a folder; gives what is wrong, or null. */
  readonly fill: (apt: Apt, into: string) => Promise<string | null>
}

/**
 * Fetches packages of the distribution into a private folder, without root; gives why it cannot, or null. Safe to
 * call from several processes at once: each unpacks a copy, and the first to finish wins by an atomic rename.
 */
export async function fetchOnce({
  target,
  path = process.env.PATH ?? '',
  release,
  onStart,
  fill,
}: FetchOptions) {
  if (!(await isDebian(path))) return 'this is neither Debian nor Ubuntu'
  onStart?.()
  await mkdir(dirname(target), { recursive: true })
  const work = await mkdtemp(join(dirname(target), 'fetch-'))
  try {
    const apt = await Apt.open(work, release === undefined ? {} : { release })
    const unpacked = join(work, 'root')
    const problem = await fill(apt, unpacked)
    // Another process may have been first: its copy is as good.
    if (problem === null) await rename(unpacked, target).catch(() => undefined)
    return problem
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Where libraries lie below the folder of an architecture. */
const LIBRARY_FOLDERS = ['', 'pulseaudio']

/** The environment in which a program finds libraries that were unpacked below `root`. */
export function libraryPath(root: string): Record<string, string> {
  const folders = [join(root, 'usr/lib'), join(root, 'lib')].flatMap((base) => {
    const architectures = namesIn(base).filter((name) => name.includes('-linux-'))
    return [
      base,
      ...architectures.flatMap((name) => LIBRARY_FOLDERS.map((below) => join(base, name, below))),
    ]
  })
  const inherited = process.env.LD_LIBRARY_PATH
  return { LD_LIBRARY_PATH: [...folders, ...(inherited ? [inherited] : [])].join(':') }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

interface Source {
  /** Another release of Debian than the system's own sources. */
  readonly release?: string
  /** dpkg's list of what counts as installed; the system's unless given. */
  readonly status?: string
}

/** apt with its own folders, so that it needs no root and changes nothing. */
export class Apt {
  lastProblem = 'no package holds it'
  private readonly options: readonly string[]
  private readonly downloads: string

  private constructor(options: readonly string[], downloads: string) {
    this.options = options
    this.downloads = downloads
  }

  static async open(work: string, { release, status }: Source = {}): Promise<Apt> {
    const state = join(work, 'state')
    const cache = join(work, 'cache')
    const downloads = join(work, 'downloads')
    for (const folder of [join(state, 'lists/partial'), join(cache, 'archives/partial'), downloads])
      await mkdir(folder, { recursive: true })
    const options = [
      `Dir::State=${state}`,
      `Dir::Cache=${cache}`,
      `Dir::State::status=${status ?? '/var/lib/dpkg/status'}`,
      // As root, apt would download as a user who may not write here.
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
      'Acquire::Retries=1',
      'Acquire::http::Timeout=20',
      ...(release === undefined ? [] : await sourcesOf(release, work)),
    ].flatMap((option) => ['-o', option])
    const apt = new Apt(['-q', ...options], downloads)
    // Its status says little: a third party's source that is away fails it, and so may a hook that
    // wants root. Whether a package can be downloaded is what counts.
    await apt.run('apt-get', ['update'])
    return apt
  }

  /** Downloads packages and unpacks them into the folder. */
  async unpack(names: string | readonly string[], into: string): Promise<boolean> {
    const had = new Set(await readdir(this.downloads))
    if (!(await this.run('apt-get', ['download', ...[names].flat()]))) return false
    const archives = (await readdir(this.downloads)).filter((file) => !had.has(file))
    for (const archive of archives) {
      const { code, stderr } = await runCommand('dpkg', ['-x', join(this.downloads, archive), into])
      if (code !== 0) {
        this.lastProblem = lastLine(stderr)
        return false
      }
    }
    return true
  }

  /** Unpacks packages together with all that they depend on and the system lacks. */
  async unpackWhole(names: string | readonly string[], into: string): Promise<boolean> {
    // apt's own resolver: it knows alternatives, virtual packages and versions.
    const install = ['--simulate', '--no-install-recommends', 'install', ...[names].flat()]
    const stdout = (await this.output('apt-get', install)) ?? ''
    const wanted = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, own = '']) => own)
    return wanted.length > 0 && this.unpack(wanted, into)
  }

  /** Libraries that a package depends on and the system lacks. */
  async missingLibraries(name: string): Promise<string[]> {
    const { stdout } = await runCommand('apt-cache', [...this.options, 'show', name])
    const depends = /^Depends: (.*)$/m.exec(stdout)?.[1] ?? ''
    const libraries = depends
      .split(',')
      .map((entry) => /^\s*([a-z0-9][a-z0-9.+-]+)/.exec(entry)?.[1] ?? '')
      .filter((library) => library.startsWith('lib'))
    const missing: string[] = []
    for (const library of libraries) {
      const status = await runCommand('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}', library])
      if (!status.stdout.startsWith('ii')) missing.push(library)
    }
    return missing
  }

  private async run(command: string, args: readonly string[]): Promise<boolean> {
    return (await this.output(command, args)) !== null
  }

  /** What a command of apt prints; null when it fails. */
  private async output(command: string, args: readonly string[]): Promise<string | null> {
    const options = { cwd: this.downloads, timeoutMs: APT_TIMEOUT_MS, env: ENVIRONMENT }
    const result = await runCommand(command, [...this.options, ...args], options)
    if (result.code === 0) return result.stdout
    this.lastProblem = lastLine(result.stderr)
    return null
  }
}

async function sourcesOf(release: string, work: string): Promise<string[]> {
  const list = join(work, 'sources.list')
  await writeFile(list, `deb http://deb.debian.org/debian ${release} main\n`)
  return [`Dir::Etc::SourceList=${list}`, 'Dir::Etc::SourceParts=/dev/null']
}

/** The line of a command's output that says what was wrong. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
