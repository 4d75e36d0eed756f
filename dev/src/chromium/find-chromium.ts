import { existsSync } from 'node:fs'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Path of a Chromium or Chrome that is installed here, or null. */
export function chromiumHere(): string | null {
  return PLACES.find((path) => existsSync(path)) ?? null
}

/** What it is started with: no sandbox, as tests run as root in containers. */
export const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
