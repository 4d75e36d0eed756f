import { mkdir, mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. `tools/src` and `tools/dist` lie equally deep in it. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Everything that running or testing relay leaves behind; ignored by git. */
export const PRIVATE = join(ROOT, '.relay')

/** A fresh, empty folder for one test's data. */
export async function temporaryFolder(name: string): Promise<string> {
  const parent = join(PRIVATE, 'test')
  await mkdir(parent, { recursive: true })
  return mkdtemp(join(parent, `${name}-`))
}
