import { join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath } from '../process/command.js'
import { fetchOnce } from './apt.js'

const FETCHED = join(PRIVATE, 'kubectl')
/** Debian 12 has one without Kustomize's components. */
const RELEASE = 'trixie'

/** kubectl, which renders kustomizations: on PATH or fetched before. */
export function kubectlHere(): string | null {
  return onPath('kubectl') ?? onPath('kubectl', join(FETCHED, 'usr/bin'))
}

/** The same, or fetched now, or why it cannot be had. */
export async function fetchKubectl(): Promise<{ path: string } | { problem: string }> {
  const here = kubectlHere()
  if (here !== null) return { path: here }
  const problem = await fetchOnce({
    target: FETCHED,
    release: RELEASE,
    fill: async (apt, into) =>
      (await apt.unpack('kubernetes-client', into)) ? null : apt.lastProblem,
  })
  const path = kubectlHere()
  return path === null ? { problem: problem ?? 'the fetched one is not there' } : { path }
}
