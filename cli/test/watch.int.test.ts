import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { FakeApi } from './console-double.js'

test('status --watch ends with 0 at Ctrl-C', async () => {
  const api = new FakeApi()
  await api.start()
  const text = '{"workspaces":[],"workers_alive":1}'
  api.answers.set('GET /admin/workspaces', { status: 200, text })
  const args = [join(ROOT, 'cli/bin/relay.mjs'), '--url', api.url, 'status', '--watch']
  const relay = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(relay.stdout, 'data')
  relay.kill('SIGINT')
  expect(await once(relay, 'exit')).toEqual([0, null])
  await api.stop()
})
