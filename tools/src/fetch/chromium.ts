import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PRIVATE } from '../folders.js'
import { onPath, runCommand } from '../process/command.js'
import { lastLine, libraryPath, type Program } from './apt.js'
import { findOrFetch } from './programs.js'

interface Places {
  /** Instead of the environment's PATH. */
  readonly path?: string
  /** Where a fetched one is kept. */
  readonly cacheDir?: string
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chromium-headless-shell'] // prettier-ignore
/** Where it is installed without being on PATH. */
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]
/** Debian's packages that hold one, the smaller first: 100 MB with libraries, 290 MB unpacked. */
const PACKAGES = ['chromium-headless-shell', 'chromium']
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
export function chromiumHere({ path, cacheDir = PRIVATE }: Places = {}): Program | null {
  const onPaths = NAMES.flatMap((name) => onPath(name, path) ?? [])
  const installed = [...onPaths, ...APPLICATIONS.filter((file) => existsSync(file))][0]
  return installed === undefined ? programIn(join(cacheDir, FETCHED)) : { path: installed, env: {} }
}

/** What `launch` of puppeteer-core takes; the profile is a new one each time. */
export function launchOptions({ path, env }: Program) {
  return {
    executablePath: path,
    args: CHROMIUM_ARGUMENTS,
    // Understood by the whole browser and by the one that is headless only.
    headless: 'shell' as const,
    env: { ...process.env, ...env },
    timeout: TRY_TIMEOUT_MS,
  }
}

/** The same; where there is none, fetched now. */
export async function findChromium(
  report: (line: string) => void,
  places: Places = {},
): Promise<Program | { readonly problem: string }> {
  return findOrFetch(() => chromiumHere(places), {
    target: join(places.cacheDir ?? PRIVATE, FETCHED),
    path: places.path,
    onStart: () => report('Fetching Chromium from the distribution’s packages (100 MB) …'),
    fill: async (apt, into) => {
      for (const name of PACKAGES) {
        const program = (await apt.unpackWhole(name, into)) ? programIn(into) : null
        if (program !== null) return tryProgram(program)
      }
      return `its packages could not be fetched (${apt.lastProblem})`
    },
  })
}

function programIn(root: string): Program | null {
  const file = PACKAGES.map((name) => join(root, 'usr/lib/chromium', name)).find((one) =>
    existsSync(one),
  )
  return file === undefined
    ? null
    : { path: file, env: { ...libraryPath(root), ...withFonts(root) } }
}

async function tryProgram({ path, env }: Program): Promise<string | null> {
  const { code, stdout, stderr } = await runCommand(
    path,
    [...CHROMIUM_ARGUMENTS, '--headless', '--dump-dom', 'data:text/html,<p>it runs'],
    { env: { ...process.env, ...env }, timeoutMs: TRY_TIMEOUT_MS },
  )
  if (code === 0 && stdout.includes('it runs')) return null
  return `the fetched one does not run (${lastLine(stderr)})`
}

/**
 * Lists the fonts that were unpacked below `root`, if the system has none: without fonts a browser
 * draws no text.
 */
export function withFonts(root: string): Record<string, string> {
  const folder = join(root, 'usr/share/fonts')
  if (existsSync('/etc/fonts/fonts.conf') || !existsSync(folder)) return {}
  const file = join(root, 'fonts.conf')
  const cache = join(root, 'fonts-cache')
  mkdirSync(cache, { recursive: true })
  writeFileSync(
    file,
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n` +
      `<fontconfig><dir>${folder}</dir><cachedir>${cache}</cachedir></fontconfig>\n`,
  )
  return { FONTCONFIG_FILE: file }
}
