import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { ROOT } from '../folders.js'

/** Writes a page of Markdown in the form that the linter wants, wherever it lies. */
export async function writePage(path: string, text: string): Promise<void> {
  const style = await resolveConfig(join(ROOT, 'docs', 'page.md'))
  writeFileSync(path, await format(text, { ...style, parser: 'markdown' }))
}
