import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Apt, isDebian } from '../debian/apt.js'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'

export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

type Found = PrometheusPrograms | { readonly problem: string }

/** Name of the folder that holds the unpacked package. */
const FETCHED = 'prometheus'

/**
 * Prometheus and promtool: on PATH, fetched before, or fetched now from the distribution's own
 * package into relay's private folder, without root and without a service.
 */
export async function findPrometheus(
  report: (line: string) => void = () => undefined,
  path = process.env.PATH ?? '',
): Promise<Found> {
  const [prometheus, promtool] = await Promise.all([
    onPath('prometheus', path),
    onPath('promtool', path),
  ])
  if (prometheus !== null && promtool !== null) return { prometheus, promtool }
  const kept = programsIn(join(PRIVATE, FETCHED))
  if (existsSync(kept.promtool)) return kept
  if (!(await isDebian(path))) return { problem: 'this is neither Debian nor Ubuntu' }
  report('Fetching Prometheus from the distribution’s packages …')
  return fetchInto(join(PRIVATE, FETCHED))
}

async function fetchInto(target: string): Promise<Found> {
  await mkdir(PRIVATE, { recursive: true })
  const work = await mkdtemp(join(PRIVATE, 'fetch-'))
  try {
    const apt = await Apt.open(work)
    const unpacked = join(work, 'root')
    if (!(await apt.unpack('prometheus', unpacked))) {
      return { problem: `its package could not be fetched (${apt.lastProblem})` }
    }
    const { code, stderr } = await runCommand(programsIn(unpacked).promtool, ['--version'])
    if (code !== 0) return { problem: `the fetched promtool does not run (${stderr.trim()})` }
    // Another process may have been first: its copy is as good.
    await rename(unpacked, target).catch(() => undefined)
    return programsIn(target)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function programsIn(root: string): PrometheusPrograms {
  return { prometheus: join(root, 'usr/bin/prometheus'), promtool: join(root, 'usr/bin/promtool') }
}
