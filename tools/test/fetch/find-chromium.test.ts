import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { chromiumHere, findChromium, withFonts } from '../../src/fetch/chromium.js'
import { temporaryFolder } from '../../src/folders.js'

async function fileAt(...parts: string[]): Promise<string> {
  const file = join(...parts)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '', { mode: 0o755 })
  return file
}

it('a browser on PATH is taken, before one that was fetched', async () => {
  const folder = await temporaryFolder('chromium')
  const fetched = await fileAt(folder, 'chromium/usr/lib/chromium/chromium-headless-shell')
  expect(chromiumHere({ path: '/nowhere', cacheDir: folder })?.path).toBe(fetched)
  const installed = await fileAt(folder, 'bin/chromium')
  const path = `/nowhere:${dirname(installed)}`
  expect(chromiumHere({ path, cacheDir: folder })).toEqual({ path: installed, env: {} })
})

it('a fetched one finds the libraries that were fetched with it', async () => {
  const folder = await temporaryFolder('chromium')
  await fileAt(folder, 'chromium/usr/lib/chromium/chromium-headless-shell')
  await fileAt(folder, 'chromium/usr/lib/x86_64-linux-gnu/pulseaudio/libpulsecommon.so')
  const { env } = chromiumHere({ path: '', cacheDir: folder })!
  const folders = env.LD_LIBRARY_PATH?.split(':') ?? []
  const libraries = join(folder, 'chromium/usr/lib/x86_64-linux-gnu')
  expect(folders).toEqual(expect.arrayContaining([libraries, join(libraries, 'pulseaudio')]))
})

it('where none is and none can be fetched, it is said why', async () => {
  const cacheDir = await temporaryFolder('chromium')
  const found = await findChromium(() => undefined, { path: '/nowhere', cacheDir })
  expect(found).toEqual({ problem: 'this is neither Debian nor Ubuntu' })
})

it('no fonts are named that are not there', async () => {
  expect(withFonts(await temporaryFolder('fonts'))).toEqual({})
})
