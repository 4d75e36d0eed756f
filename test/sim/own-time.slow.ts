import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '@relay/tools/folders.js'
import { onPath } from '@relay/tools/process/command.js'

const run = promisify(execFile)
const whenCompiled = onPath('cc') === null ? describe.skip : describe

whenCompiled('with the scripts as they are, and expiries of Redis itself', () => {
  it.each(['brief', 'mixed', 'aimed', 'forget'])(
    'keeps every law of the scenario %s',
    async (scenario) => {
      const args = ['--scenario', scenario, '--seeds', '1-3', '--seconds', '60', '--own-time']
      await run(process.execPath, [join(ROOT, 'test/dist/sim/main.js'), ...args])
    },
    300_000,
  )
})
