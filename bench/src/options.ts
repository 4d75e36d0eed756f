import { parseArgs } from 'node:util'
import type { BenchOptions } from './rows/row.js'

export interface Options extends BenchOptions {
  /** Names of rows; empty: all. */
  readonly rows: readonly string[]
  readonly repeat: number
  /** Where the document goes; null: nowhere. */
  readonly out: string | null
}

export const USAGE = `usage: npm run bench -- [--quick] [--rows name,name] [--repeat 3] [--out FILE]

  --quick   a smoke test of the harness, once, without a document
  --out     default docs/reports/performance.md when all rows are measured, else none`

/** Throws for anything it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rows: { type: 'string', default: '' },
      repeat: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const { quick } = values
  const rows = values.rows.split(',').filter((name) => name !== '')
  const repeat = Number(values.repeat ?? (quick ? 1 : 3))
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat takes a whole number')
  const out = values.out ?? (quick || rows.length > 0 ? null : 'docs/reports/performance.md')
  return { quick, rows, repeat, out }
}
