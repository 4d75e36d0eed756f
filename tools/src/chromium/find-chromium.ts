import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { Apt, isDebian, lastLine } from '../debian/apt.js'
import { libraryPath } from '../debian/library-path.js'
import { PRIVATE } from '../folders.js'
import { runCommand } from '../process/command.js'
import { withFonts } from './fonts.js'

/** A browser, and what its environment needs. */
export interface ChromiumProgram {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

interface Places {
  /** Instead of the environment's PATH. */
  readonly path?: string
  /** Where a fetched one is kept. */
  readonly cacheDir?: string
}

type Found = { readonly program: ChromiumProgram } | { readonly problem: string }

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chromium-headless-shell'] // prettier-ignore
/** Where it is installed without being on PATH. */
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]
/** Debian's packages that hold one, the smaller first: 100 MB with libraries, 290 MB unpacked. */
const SOURCES = [
  { package: 'chromium-headless-shell', file: 'usr/lib/chromium/chromium-headless-shell' },
  { package: 'chromium', file: 'usr/lib/chromium/chromium' },
] as const
/** Name of the folder that holds the unpacked packages. */
const FETCHED = 'chromium'
/** On a busy machine the first start takes seconds. */
const TRY_TIMEOUT_MS = 60_000

/** Arguments: no sandbox, because tests run as root in containers; no requests to other hosts. */
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A Chromium or Chrome that is on PATH, installed, or was fetched before; or null. */
export function chromiumHere({
  path = process.env.PATH ?? '',
  cacheDir = PRIVATE,
}: Places = {}): ChromiumProgram | null {
  const onPath = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  const installed = [...onPath, ...APPLICATIONS].find((file) => existsSync(file))
  return installed === undefined ? programIn(join(cacheDir, FETCHED)) : { path: installed, env: {} }
}

/** What `launch` of puppeteer-core takes; the profile is a new one each time. */
export function launchOptions({ path, env }: ChromiumProgram) {
  return {
    executablePath: path,
    args: CHROMIUM_ARGUMENTS,
    // Understood by the whole browser and by the one that is headless only.
    headless: 'shell' as const,
    env: { ...process.env, ...env },
    timeout: TRY_TIMEOUT_MS,
  }
}

/**
 * The same; where there is none, fetched now from Debian's own packages into relay's private
 * folder, without root. Safe to call from several processes at once.
 */
export async function findChromium(
  report: (line: string) => void,
  { path = process.env.PATH ?? '', cacheDir = PRIVATE }: Places = {},
): Promise<Found> {
  const here = chromiumHere({ path, cacheDir })
  if (here !== null) return { program: here }
  if (!(await isDebian(path))) return { problem: 'this is neither Debian nor Ubuntu' }
  report('Fetching Chromium from the distribution’s packages (100 MB) …')
  await mkdir(cacheDir, { recursive: true })
  const work = await mkdtemp(join(cacheDir, 'fetch-'))
  try {
    const unpacked = join(work, 'root')
    const problem = await fetchInto(work, unpacked)
    if (problem !== null) return { problem }
    // Another process may have been first: its copy is as good.
    await rename(unpacked, join(cacheDir, FETCHED)).catch(() => undefined)
    const program = programIn(join(cacheDir, FETCHED))
    return program === null ? { problem: 'the fetched one is not there' } : { program }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Fetches and tries it; says what is wrong, or null. */
async function fetchInto(work: string, unpacked: string): Promise<string | null> {
  const apt = await Apt.open(work)
  for (const source of SOURCES) {
    if (!(await apt.unpackWhole(source.package, unpacked))) continue
    const program = programIn(unpacked)
    if (program !== null) return tryProgram(program)
  }
  return `its packages could not be fetched (${apt.lastProblem})`
}

function programIn(root: string): ChromiumProgram | null {
  const source = SOURCES.find(({ file }) => existsSync(join(root, file)))
  if (source === undefined) return null
  return { path: join(root, source.file), env: { ...libraryPath(root), ...withFonts(root) } }
}

async function tryProgram({ path, env }: ChromiumProgram): Promise<string | null> {
  const { code, stdout, stderr } = await runCommand(
    path,
    [...CHROMIUM_ARGUMENTS, '--headless', '--dump-dom', 'data:text/html,<p>it runs'],
    { env: { ...process.env, ...env }, timeoutMs: TRY_TIMEOUT_MS },
  )
  if (code === 0 && stdout.includes('it runs')) return null
  return `the fetched one does not run (${lastLine(stderr)})`
}
