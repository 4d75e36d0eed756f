import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { call } from './client.js'

const MAIN = join(__dirname, '../src/main.ts')

function start(env: Record<string, string>) {
  const args = ['--conditions=@relay/source', '--import=tsx', MAIN]

  return spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env } })
}

async function output(child: ChildProcess, stream: 'stdout' | 'stderr'): Promise<string> {
  const [chunk] = (await once(child[stream] ?? child, 'data')) as [Buffer]
  return chunk.toString('utf8')
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  'runs alone, says where it is, and %s ends it with 0',
  async (signal) => {
    const child = start({ PORT: '0' })
    const line = await output(child, 'stdout')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
    const page = await call(`${url}/`, { method: 'GET' })
    expect(page.headers['content-type']).toContain('text/html')
    expect(page.text).toContain('MoEngage simulator')
    const ended = once(child, 'exit')
    child.kill(signal)
    expect(await ended).toEqual([0, null])
  },
  30_000,
)

test('a wrong environment is told whole and ends it with 78', async () => {
  const child = start({ PORT: 'x', SIM_WINDOW_MODE: 'y' })
  const ended = once(child, 'exit')
  const text = await output(child, 'stderr')
  expect(text).toContain('PORT')
  expect(text).toContain('SIM_WINDOW_MODE')
  expect(await ended).toEqual([78, null])
}, 30_000)
