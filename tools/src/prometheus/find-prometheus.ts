import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Apt, isDebian } from '../debian/apt.js'
import { PRIVATE } from '../folders.js'
import { runCommand } from '../process/command.js'

export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

type Found = PrometheusPrograms | { readonly problem: string }

/** Name of the folder that holds the unpacked package. */
const FETCHED = 'prometheus'
/** Where the package has its programs. */
const BIN = 'usr/bin'
const FETCHED_BIN = join(PRIVATE, FETCHED, BIN)

/**
 * Prometheus and promtool: on PATH, fetched before, or fetched now from the distribution's own
 * package into relay's private folder, without root and without a service.
 */
export async function findPrometheus(
  report: (line: string) => void = () => undefined,
  path = process.env.PATH ?? '',
): Promise<Found> {
  const here = prometheusHere(path)
  if (here !== null) return here
  if (!(await isDebian(path))) return { problem: 'this is neither Debian nor Ubuntu' }
  report('Fetching Prometheus from the distribution’s packages …')
  return fetchInto(join(PRIVATE, FETCHED))
}

/** The release of Debian that has Prometheus 3, and its packages; Debian's programs run on most systems. */
const VERSION_3 = { name: 'prometheus-3', release: 'sid', packages: ['prometheus', 'promtool'] }

/** Prometheus 3, which writes bucket bounds in another way: fetched before, or now. */
export async function findPrometheus3(): Promise<Found> {
  const target = join(PRIVATE, VERSION_3.name)
  const programs = programsIn(join(target, BIN))
  if (existsSync(programs.promtool)) return programs
  if (!(await isDebian(process.env.PATH ?? ''))) return { problem: 'this is not Debian' }
  return fetchInto(target, VERSION_3)
}

/** Prometheus 3, if it was fetched before. */
export function prometheus3Here(): PrometheusPrograms | null {
  const programs = programsIn(join(PRIVATE, VERSION_3.name, BIN))
  return existsSync(programs.promtool) ? programs : null
}

/** What `findPrometheus` finds without fetching. */
export function prometheusHere(path = process.env.PATH ?? ''): PrometheusPrograms | null {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), FETCHED_BIN]
  for (const folder of folders) {
    const programs = programsIn(folder)
    if (existsSync(programs.prometheus) && existsSync(programs.promtool)) return programs
  }
  return null
}

async function fetchInto(
  target: string,
  { release, packages }: { release?: string; packages: readonly string[] } = {
    packages: ['prometheus'],
  },
): Promise<Found> {
  await mkdir(PRIVATE, { recursive: true })
  const work = await mkdtemp(join(PRIVATE, 'fetch-'))
  try {
    const apt = await Apt.open(work, release === undefined ? {} : { release })
    const unpacked = join(work, 'root')
    if (!(await apt.unpack(packages, unpacked))) {
      return { problem: `its package could not be fetched (${apt.lastProblem})` }
    }
    const { code, stderr } = await runCommand(programsIn(join(unpacked, BIN)).promtool, [
      '--version',
    ])
    if (code !== 0) return { problem: `the fetched promtool does not run (${stderr.trim()})` }
    // Another process may have been first: its copy is as good.
    await rename(unpacked, target).catch(() => undefined)
    return programsIn(join(target, BIN))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function programsIn(folder: string): PrometheusPrograms {
  return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') }
}
