import { join } from 'node:path'
import { runCommand } from '@relay/tools/process/command.js'
import { ROOT } from '@relay/tools/folders.js'

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
