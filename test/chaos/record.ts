import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { systemClock } from '@relay/shared/clock.js'

const REPORT = join(ROOT, 'docs/reports/reliability.md')

/**
 * Adds rows to the report: to the table of the same day, kind and head if there is one, else to a
 * new one at the end. The title counts them.
 */
export async function record(what: string, head: string, rows: readonly string[]): Promise<void> {
  const date = new Date(systemClock.nowMs()).toISOString().slice(0, 10)
  await writeFile(REPORT, withRows(await readFile(REPORT, 'utf8'), { date, what, head, rows }))
}

interface Table {
  readonly date: string
  readonly what: string
  readonly head: string
  readonly rows: readonly string[]
}

export function withRows(report: string, { date, what, head, rows }: Table): string {
  const titleOf = (count: number) => `### ${date}: ${String(count)} ${what}`
  const start = new RegExp(`### ${date}: (\\d+) ${escaped(`${what}\n\n${head}\n`)}`)
  const found = start.exec(report)
  if (found === null) {
    return `${report.trimEnd()}\n\n${[titleOf(rows.length), '', head, ...rows].join('\n')}\n`
  }
  const [before, after] = [
    report.slice(0, found.index),
    report.slice(found.index + found[0].length),
  ]
  const lines = after.split('\n')
  const isRow = (line: string | undefined) => line?.startsWith('|') === true
  const end = lines.findIndex((line) => !isRow(line))
  const table = [...lines.slice(0, end), ...rows]
  const rest = lines.slice(end).join('\n')
  return `${before}${[titleOf(Number(found[1]) + rows.length), '', head, ...table].join('\n')}\n${rest}`
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
