import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PRIVATE } from '@relay/tools/folders.js'
import { violationLines } from './report.js'
import { runOnce, type RunOptions, type RunResult } from './run.js'

export type Say = (line: string) => void

export interface PlayOptions extends Omit<RunOptions, 'dir'> {
  /** Of the folder with its logs and evidence. */
  readonly name: string
  /** Keeps the folder of a run that broke no law, too. */
  readonly keep?: boolean
}

/** One run: says which laws it broke. */
export async function play({ name, keep = false, ...run }: PlayOptions): Promise<RunResult> {
  const dir = join(PRIVATE, 'faults', name)
  const result = await runOnce({ ...run, dir })
  for (const line of violationLines(result)) run.say(line)
  if (result.violations.length === 0 && !keep) await rm(dir, { recursive: true, force: true })
  return result
}

/** Acts on all of them, on up to `atOnce` at a time, in order. */
export async function inTurns<T>(
  all: readonly T[],
  atOnce: number,
  act: (one: T) => Promise<void>,
): Promise<void> {
  const left = [...all]
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one)
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}

/** Of each process, the last lines that matter. */
const SHOWN = 40
const MATTERS = /"level":"(warn|error)"|^--- |^[^{]/

/** Says what the processes of a run wrote when something was wrong. */
export async function tellLogs(name: string, say: Say): Promise<void> {
  const dir = join(PRIVATE, 'faults', name)
  say(`  logs and evidence: ${dir}; again: --seed ${name}`)
  // Elsewhere the folder is gone once the job has ended.
  if (process.env.CI !== 'true') return
  for (const file of (await readdir(dir)).filter((one) => one.endsWith('.log')).sort()) {
    const lines = (await readFile(join(dir, file), 'utf8')).split('\n')
    const shown = lines.filter((line) => line !== '' && MATTERS.test(line)).slice(-SHOWN)
    say(`  -- ${file}`)
    for (const line of shown) say(`     ${line.slice(0, 400)}`)
  }
}
