import { delimiter, join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'
import { fetchOnce, type FetchOptions } from './apt.js'

// Programs that some tests use: on PATH, fetched before, or fetched now from the distribution's packages.

type OrProblem<Found> = Found | { readonly problem: string }

const binOf = (root: string) => join(root, 'usr/bin')

/** What `here` finds; otherwise it is fetched, or the reason why it cannot be had. */
export async function findOrFetch<Found>(
  here: () => Found | null,
  options: FetchOptions,
): Promise<OrProblem<Found>> {
  const found = here()
  if (found !== null) return found
  const problem = await fetchOnce(options)
  return here() ?? { problem: problem ?? 'the fetched one is not there' }
}

export interface PrometheusPrograms {
  /** Folder of both. */
  readonly path: string
  readonly prometheus: string
  readonly promtool: string
}

/** A release, and the packages that hold it; Debian's programs run on most systems. */
const VERSION_2 = { name: 'prometheus', release: undefined, packages: ['prometheus'] }
/** Writes bucket bounds in another way. */
const VERSION_3 = { name: 'prometheus-3', release: 'sid', packages: ['prometheus', 'promtool'] }

/** Prometheus and promtool. */
export function findPrometheus(
  report: (line: string) => void,
): Promise<OrProblem<PrometheusPrograms>> {
  return fetchPrometheus(prometheusHere, VERSION_2, () =>
    report('Fetching Prometheus from the distribution’s packages …'),
  )
}

export function prometheusHere(): PrometheusPrograms | null {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .concat(binOf(join(PRIVATE, VERSION_2.name)))
  return folders.map(programsIn).find((programs) => programs !== null) ?? null
}

export function findPrometheus3(): Promise<OrProblem<PrometheusPrograms>> {
  return fetchPrometheus(prometheus3Here, VERSION_3)
}

export function prometheus3Here(): PrometheusPrograms | null {
  return programsIn(binOf(join(PRIVATE, VERSION_3.name)))
}

function fetchPrometheus(
  here: () => PrometheusPrograms | null,
  { name, release, packages }: typeof VERSION_2 | typeof VERSION_3,
  onStart?: () => void,
): Promise<OrProblem<PrometheusPrograms>> {
  return findOrFetch(here, {
    target: join(PRIVATE, name),
    release,
    ...(onStart && { onStart }),
    fill: async (apt, into) => {
      if (!(await apt.unpack(packages, into)))
        return `its package could not be fetched (${apt.lastProblem})`
      const { code, stderr } = await runCommand(join(binOf(into), 'promtool'), ['--version'])
      return code === 0 ? null : `the fetched promtool does not run (${stderr.trim()})`
    },
  })
}

function programsIn(folder: string): PrometheusPrograms | null {
  const [prometheus, promtool] = [onPath('prometheus', folder), onPath('promtool', folder)]
  return prometheus === null || promtool === null ? null : { path: folder, prometheus, promtool }
}

const KUBECTL = join(PRIVATE, 'kubectl')

/** kubectl, which renders kustomizations. */
export function kubectlHere(): { readonly path: string } | null {
  const path = onPath('kubectl') ?? onPath('kubectl', binOf(KUBECTL))
  return path === null ? null : { path }
}

export function findKubectl(): Promise<OrProblem<{ readonly path: string }>> {
  return findOrFetch(kubectlHere, {
    target: KUBECTL,
    // Debian 12 has one without Kustomize's components.
    release: 'trixie',
    fill: async (apt, into) =>
      (await apt.unpack('kubernetes-client', into)) ? null : apt.lastProblem,
  })
}

export interface Spin {
  readonly path: string
  /** A C compiler: spin writes C. */
  readonly cc: string
}

const SPIN = join(PRIVATE, 'spin')
const compilerHere = () => onPath('gcc') ?? onPath('cc')

export function spinHere(): Spin | null {
  const path = onPath('spin') ?? onPath('spin', binOf(SPIN))
  const cc = compilerHere()
  return path === null || cc === null ? null : { path, cc }
}

export async function findSpin(): Promise<OrProblem<Spin>> {
  if (compilerHere() === null) return { problem: 'there is no C compiler on PATH' }
  return findOrFetch(spinHere, {
    target: SPIN,
    fill: async (apt, into) => {
      if (!(await apt.unpack('spin', into))) return apt.lastProblem
      const { code, stderr } = await runCommand(join(binOf(into), 'spin'), ['-V'])
      return code === 0 ? null : `the fetched spin does not run (${stderr.trim()})`
    },
  })
}
