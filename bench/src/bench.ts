import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { BUDGETS } from './rows/budgets.js'
import { CENSUS } from './rows/census.js'
import { CUSTOMER_POLICY } from './rows/customer-policy.js'
import { DRAIN, DRAIN_SCALE } from './rows/drain.js'
import { IDLE, MEMORY } from './rows/resources.js'
import { INTAKE_ROWS } from './rows/intake.js'
import { LATENCY, TAKEOVER } from './rows/latency.js'
import type { BenchOptions, Row, Sample } from './rows/row.js'

export const ROWS: readonly Row[] = [
  ...INTAKE_ROWS,
  DRAIN,
  DRAIN_SCALE,
  LATENCY,
  BUDGETS,
  TAKEOVER,
  IDLE,
  MEMORY,
  CUSTOMER_POLICY,
  CENSUS,
]

/** The rows of these names, all of them for none; throws for an unknown one. */
export function chooseRows(names: readonly string[]): readonly Row[] {
  const unknown = names.find((name) => !ROWS.some((row) => row.name === name))
  if (unknown !== undefined) {
    const known = ROWS.map(({ name }) => name).join(', ')
    throw new Error(`no row is called ${unknown}; there are ${known}`)
  }
  return names.length === 0 ? ROWS : ROWS.filter(({ name }) => names.includes(name))
}

/** All repetitions of a row; contenders take turns, so that a busy minute hits all of them. */
export async function measureRow(
  row: Row,
  repeat: number,
  options: BenchOptions,
): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let i = 0; i < repeat; i++) samples.push(...(await row.measure(options)))
  return samples
}

/** Compiles what is measured; without changes it takes a second. */
export async function buildServices(): Promise<void> {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const projects = ['api', 'worker'].map((name) => join(ROOT, 'services', name))
  const args = [tsc, '-b', ...projects]
  const build = await startChild({ name: 'tsc', command: process.execPath, args, cwd: ROOT })
  const { code } = await build.exited
  if (code !== 0) throw new Error(`the build failed:\n${build.lastLines().join('\n')}`)
}
