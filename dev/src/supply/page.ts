import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../folders.js'
import { dependenciesDocument } from './document.js'
import type { Lockfile } from './lockfile.js'

/** The page as it stands in the repository. */
export async function dependenciesPage(): Promise<string> {
  return `${dependenciesDocument(await readLockfile())}\n`
}

export async function readLockfile(): Promise<Lockfile> {
  return JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile
}
