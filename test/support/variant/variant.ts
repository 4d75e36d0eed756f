import { cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '@relay/tools/folders.js'

/** A relay that differs from the checkout in a few places. */
export interface Variant {
  readonly name: string
  readonly changes: readonly Change[]
}

/** `search` occurs exactly once in the file, else the variant is out of date. */
export interface Change {
  /** Relative to the root. */
  readonly file: string
  readonly search: string
  readonly replace: string
}

/** What api and worker run from, relative to the root; all else is found further up. */
const PARTS = [
  ...['shared/package.json', 'shared/dist', 'shared/lua'],
  ...['services/api/package.json', 'services/api/dist', 'services/api/console'],
  ...['services/worker/package.json', 'services/worker/dist'],
]
const PACKAGES = ['services/api/node_modules', 'services/worker/node_modules']

/** Copies what was built and changes it there; returns the folder, which stands in for the root. */
export async function buildVariant({ name, changes }: Variant): Promise<string> {
  const tree = join(PRIVATE, 'variants', name)
  await rm(tree, { recursive: true, force: true })
  for (const part of PARTS) await cp(join(ROOT, part), join(tree, part), { recursive: true })
  for (const part of PACKAGES) {
    const exists = await stat(join(ROOT, part)).catch(() => null)
    if (exists !== null) await symlink(join(ROOT, part), join(tree, part))
  }
  await mkdir(join(tree, 'node_modules/@relay'), { recursive: true })
  await symlink('../../shared', join(tree, 'node_modules/@relay/shared'))
  for (const change of changes) {
    const file = join(tree, change.file)
    await writeFile(file, changed(name, await readFile(file, 'utf8'), change))
  }
  return tree
}

/** A file's text with a change of the variant `name` made; throws when the variant is out of date. */
export function changed(name: string, text: string, { file, search, replace }: Change): string {
  const [head, tail, ...more] = text.split(search)
  if (head === undefined || tail === undefined || more.length > 0) {
    throw new Error(`variant ${name}: ${file} does not hold its text exactly once`)
  }
  return head + replace + tail
}
