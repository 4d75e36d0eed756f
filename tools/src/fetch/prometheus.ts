import { delimiter, join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'
import { fetchOnce } from './apt.js'

export interface PrometheusPrograms {
  /** Of both. */
  readonly path: string
  readonly prometheus: string
  readonly promtool: string
}

type Found = PrometheusPrograms | { readonly problem: string }

/** A release, and the packages that hold it; Debian's programs run on most systems. */
const VERSION_2 = { name: 'prometheus', release: undefined, packages: ['prometheus'] }
/** Writes bucket bounds in another way. */
const VERSION_3 = { name: 'prometheus-3', release: 'sid', packages: ['prometheus', 'promtool'] }

const binOf = (root: string) => join(root, 'usr/bin')

/** Prometheus and promtool: on PATH, fetched before, or fetched now. */
export async function findPrometheus(
  report: (line: string) => void = () => undefined,
): Promise<Found> {
  const here = prometheusHere()
  if (here !== null) return here
  return fetchPrometheus(VERSION_2, () => {
    report('Fetching Prometheus from the distribution’s packages …')
  })
}

/** What `findPrometheus` finds without fetching. */
export function prometheusHere(): PrometheusPrograms | null {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .concat(binOf(join(PRIVATE, VERSION_2.name)))
  return folders.map(programsIn).find((programs) => programs !== null) ?? null
}

/** Prometheus 3: fetched before, or now. */
export async function findPrometheus3(): Promise<Found> {
  return prometheus3Here() ?? fetchPrometheus(VERSION_3)
}

/** Prometheus 3, if it was fetched before. */
export function prometheus3Here(): PrometheusPrograms | null {
  return programsIn(binOf(join(PRIVATE, VERSION_3.name)))
}

async function fetchPrometheus(
  { name, release, packages }: typeof VERSION_2 | typeof VERSION_3,
  onStart?: () => void,
): Promise<Found> {
  const target = join(PRIVATE, name)
  const problem = await fetchOnce({
    target,
    release,
    ...(onStart && { onStart }),
    fill: async (apt, into) => {
      if (!(await apt.unpack(packages, into)))
        return `its package could not be fetched (${apt.lastProblem})`
      const { code, stderr } = await runCommand(join(binOf(into), 'promtool'), ['--version'])
      return code === 0 ? null : `the fetched promtool does not run (${stderr.trim()})`
    },
  })
  return programsIn(binOf(target)) ?? { problem: problem ?? 'the fetched one is not there' }
}

function programsIn(folder: string): PrometheusPrograms | null {
  const [prometheus, promtool] = [onPath('prometheus', folder), onPath('promtool', folder)]
  return prometheus === null || promtool === null ? null : { path: folder, prometheus, promtool }
}
