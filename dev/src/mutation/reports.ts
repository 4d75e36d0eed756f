import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PRIVATE, ROOT } from '../folders.js'

/** The parts of Stryker's report (mutation-testing-report-schema) that are looked at. */
export interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/** A file as it was when it was measured. */
export interface Measured {
  readonly source: string
  readonly mutants: readonly Mutant[]
}

export type Files = Readonly<Record<string, Measured>>

const FOLDER = join(PRIVATE, 'mutation')
const LATEST = join(FOLDER, 'report.json')
const ALL = join(FOLDER, 'measured.json')

/** Adds what the last run measured to what runs before it measured of other files. */
export function keepLatest(): void {
  const latest = JSON.parse(readFileSync(LATEST, 'utf8')) as { files: Files }
  const kept = Object.entries(latest.files).map(([file, { source, mutants }]) => [
    file,
    { source, mutants: mutants.map(essential) },
  ])
  const files = { ...measured(), ...(Object.fromEntries(kept) as Files) }
  writeFileSync(ALL, JSON.stringify(files))
}

export function measured(): Files {
  return existsSync(ALL) ? (JSON.parse(readFileSync(ALL, 'utf8')) as Files) : {}
}

/** What of these files was never measured, or not as they are now. */
export function unmeasured(files: readonly string[]): readonly string[] {
  const known = measured()
  return files.filter((file) => known[file]?.source !== readFileSync(join(ROOT, file), 'utf8'))
}

function essential({ status, mutatorName, replacement = '', location }: Mutant): Mutant {
  const { line, column } = location.start
  return { status, mutatorName, replacement, location: { start: { line, column } } }
}
