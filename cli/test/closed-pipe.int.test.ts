import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ROOT } from '@relay/tools/folders.js'

test('ends without a stack trace when its reader closes the pipe', async () => {
  const relay = spawn(process.execPath, [join(ROOT, 'cli/bin/relay.mjs'), '--help'])
  relay.stdout.destroy()
  const [noted, [status]] = await Promise.all([text(relay.stderr), once(relay, 'exit')])
  expect({ noted, status: status as unknown }).toEqual({ noted: '', status: 0 })
})
