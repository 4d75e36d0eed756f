import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Apt, isDebian } from '../debian/apt.js'
import { PRIVATE } from '../folders.js'
import { runCommand } from '../process/command.js'

export interface SpinPrograms {
  readonly spin: string
  /** spin writes C. */
  readonly cc: string
}

const FETCHED = join(PRIVATE, 'spin')
const FETCHED_BIN = join(FETCHED, 'usr/bin')

/** spin, on PATH or fetched before, and a C compiler; null without either. */
export function spinHere(path = process.env.PATH ?? ''): SpinPrograms | null {
  const spin = fileOf('spin', `${path}${delimiter}${FETCHED_BIN}`)
  const cc = compilerOf(path)
  return spin === null || cc === null ? null : { spin, cc }
}

/** The same, or spin fetched now from Debian's package; gives why it cannot be had, or null. */
export async function fetchSpin(path = process.env.PATH ?? ''): Promise<string | null> {
  if (spinHere(path) !== null) return null
  if (compilerOf(path) === null) return 'there is no C compiler on PATH'
  if (!(await isDebian(path))) return 'this is neither Debian nor Ubuntu'
  await mkdir(PRIVATE, { recursive: true })
  const work = await mkdtemp(join(PRIVATE, 'fetch-'))
  try {
    const apt = await Apt.open(work)
    const unpacked = join(work, 'root')
    if (!(await apt.unpack('spin', unpacked))) return apt.lastProblem
    const { code, stderr } = await runCommand(join(unpacked, 'usr/bin/spin'), ['-V'])
    if (code !== 0) return `the fetched spin does not run (${stderr.trim()})`
    // Another process may have been first: its copy is as good.
    await rename(unpacked, FETCHED).catch(() => undefined)
    return null
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function compilerOf(path: string): string | null {
  return fileOf('gcc', path) ?? fileOf('cc', path)
}

function fileOf(program: string, path: string): string | null {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file)) ?? null
}
