import { LAWS } from './oracle/model.js'
import type { RunResult } from './run.js'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { systemClock } from '@relay/shared/clock.js'

export const TABLE_HEAD = [
  '| seed | faults | acknowledged | delivered | dead letters | again, per cause | recovery | drain | verdict |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
].join('\n')

/** Details shown per law; the files have all. */
const SHOWN = 5

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, n]) => (n === 1 ? name : `${name} ×${n}`)).join(', ')
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

export function tableRow(result: RunResult): string {
  const { seed, injected, posted, delivered, deadLetters, duplicates } = result
  const again = [...duplicates].map(([cause, n]) => `${cause} ${n}`).join(', ')
  const broken = brokenLaws(result)
  const cells = [
    String(seed),
    counted(injected.map(({ name }) => name)),
    String(posted),
    String(delivered),
    String(deadLetters),
    again === '' ? '–' : again,
    seconds(result.recoveryMs),
    seconds(result.drainMs),
    broken === '' ? 'held' : `**broken: ${broken}**`,
  ]
  return `| ${cells.join(' | ')} |`
}

export function violationLines({ violations }: RunResult): string[] {
  return LAWS.flatMap((law) => {
    const own = violations.filter((v) => v.law === law)
    if (own.length === 0) return []
    const more = own.length > SHOWN ? [`    … ${own.length - SHOWN} more`] : []
    const shown = own.slice(0, SHOWN).map(({ detail }) => `    ${detail}`)
    return [`  BROKEN: ${law} (${own.length})`, ...shown, ...more]
  })
}

/** The laws that a run broke, '' for none. */
export function brokenLaws({ violations }: RunResult): string {
  return LAWS.filter((law) => violations.some((v) => v.law === law)).join('; ')
}

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
  const titleOf = (count: number) => `### ${date}: ${count} ${what}`
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
