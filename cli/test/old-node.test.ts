import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '@relay/tools/process/command.js'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'

const OLD = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })`

it.each(['cli/bin/relay.mjs', 'tools/bin/start.mjs', 'tools/bin/build.mjs'])(
  '%s on an old Node names the version it needs, and where to get it',
  async (program) => {
    const { code, stderr } = await runCommand(process.execPath, [
      ...['--import', `data:text/javascript,${encodeURIComponent(OLD)}`],
      join(ROOT, program),
    ])
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(
      /^relay needs Node 20\.19 or newer; this is v[\d.]+\. Install Node 24 from/,
    )
  },
)

it.each([
  ['nothing is built', null, 'not built yet'],
  ['a part is missing', "import './missing.js'", 'only partly built or installed'],
])('relay of a checkout where %s says what to run', async (_, main, words) => {
  const folder = await temporaryFolder('launcher')
  await mkdir(join(folder, 'dist'))
  await cp(join(ROOT, 'cli/bin'), join(folder, 'bin'), { recursive: true })
  if (main !== null) await writeFile(join(folder, 'dist/main.js'), main)
  const { code, stderr } = await runCommand(process.execPath, [join(folder, 'bin/relay.mjs')])
  await rm(folder, { recursive: true })
  expect(code).toBe(69)
  expect(stderr).toContain(words)
  expect(stderr).toContain('Run: npm run build')
})
