import { join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'
import { fetchOnce } from './apt.js'

export interface SpinPrograms {
  readonly spin: string
  /** spin writes C. */
  readonly cc: string
}

const FETCHED = join(PRIVATE, 'spin')

/** spin, on PATH or fetched before, and a C compiler; null without either. */
export function spinHere(): SpinPrograms | null {
  const spin = onPath('spin') ?? onPath('spin', join(FETCHED, 'usr/bin'))
  const cc = compilerHere()
  return spin === null || cc === null ? null : { spin, cc }
}

/** The same, or spin fetched now from Debian's package, or why it cannot be had. */
export async function fetchSpin(): Promise<{ path: string } | { problem: string }> {
  if (compilerHere() === null) return { problem: 'there is no C compiler on PATH' }
  const here = spinHere()
  if (here !== null) return { path: here.spin }
  const problem = await fetchOnce({
    target: FETCHED,
    fill: async (apt, into) => {
      if (!(await apt.unpack('spin', into))) return apt.lastProblem
      const { code, stderr } = await runCommand(join(into, 'usr/bin/spin'), ['-V'])
      return code === 0 ? null : `the fetched spin does not run (${stderr.trim()})`
    },
  })
  const fetched = spinHere()
  return fetched === null
    ? { problem: problem ?? 'the fetched one is not there' }
    : { path: fetched.spin }
}

const compilerHere = () => onPath('gcc') ?? onPath('cc')
