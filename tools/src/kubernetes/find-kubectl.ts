import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Apt, isDebian } from '../debian/apt.js'
import { PRIVATE } from '../folders.js'

const FETCHED = join(PRIVATE, 'kubectl')
/** Debian 12 has one without Kustomize's components. */
const RELEASE = 'trixie'

/** kubectl, which renders kustomizations: on PATH or fetched before. */
export function kubectlHere(path = process.env.PATH ?? ''): string | null {
  const folders = [...path.split(delimiter).filter(Boolean), join(FETCHED, 'usr/bin')]
  const files = folders.map((folder) => join(folder, 'kubectl'))
  return files.find((file) => existsSync(file)) ?? null
}

/** The same, or fetched now from Debian's packages; gives why it cannot be had, or null. */
export async function fetchKubectl(): Promise<string | null> {
  if (kubectlHere() !== null) return null
  if (!(await isDebian(process.env.PATH ?? ''))) return 'this is neither Debian nor Ubuntu'
  await mkdir(PRIVATE, { recursive: true })
  const work = await mkdtemp(join(PRIVATE, 'fetch-'))
  try {
    const apt = await Apt.open(work, { release: RELEASE })
    const unpacked = join(work, 'root')
    if (!(await apt.unpack('kubernetes-client', unpacked))) return apt.lastProblem
    // Another process may have been first: its copy is as good.
    await rename(unpacked, FETCHED).catch(() => undefined)
    return null
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
