import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../folders.js'

/** What is not part of the core although its folder is, and why. */
interface LeftOut {
  readonly reason: string
  readonly files: readonly string[]
}

/** dev/mutation/core.json: what the pure core is. */
export interface Core {
  readonly core: readonly string[]
  readonly leftOut: readonly LeftOut[]
}

export function readCore(): Core {
  return JSON.parse(readFileSync(join(ROOT, 'dev', 'mutation', 'core.json'), 'utf8')) as Core
}

/** Every file of the core. Throws for a file beside one that is neither in it nor left out. */
export function coreFiles({ core, leftOut }: Core): readonly string[] {
  const files = core.flatMap((path) => (path.endsWith('*.ts') ? sourcesIn(dirname(path)) : [path]))
  const known = new Set([...files, ...leftOut.flatMap((one) => one.files)])
  // Beside shared/src/identity.ts lie files of every kind.
  const folders = new Set(
    files.map((file) => dirname(file)).filter((path) => path !== 'shared/src'),
  )
  const forgotten = [...folders].flatMap(sourcesIn).filter((file) => !known.has(file))
  if (forgotten.length > 0)
    throw new Error(`dev/mutation/core.json says nothing of ${forgotten.join(', ')}`)
  return files.toSorted()
}

function sourcesIn(folder: string): readonly string[] {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.ts'))
  return names.map((name) => `${folder}/${name}`)
}
