import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../folders.js'

/** Cells. */
export type Row = readonly string[]

/** A Markdown table with columns of even width, as Prettier leaves it. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = (cells[0] ?? []).map((_, i) =>
    Math.max(...cells.map((row) => row[i]?.length ?? 0)),
  )
  const line = (row: Row, fill = ' ') =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0, fill)).join(' | ')} |`
  const [head = [], ...body] = cells
  return [
    line(head),
    line(
      head.map(() => ''),
      '-',
    ),
    ...body.map((row) => line(row)),
  ].join('\n')
}

/** Writes a page of Markdown in the form that the linter wants, wherever it lies. */
export async function writePage(path: string, text: string): Promise<void> {
  // Loaded here: Jest cannot load it.
  const { format, resolveConfig } = await import('prettier')
  const style = await resolveConfig(join(ROOT, 'docs', 'page.md'))
  writeFileSync(path, await format(text, { ...style, parser: 'markdown' }))
}
