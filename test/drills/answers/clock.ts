import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, temporaryFolder } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { runCommand } from '@relay/tools/process/command.js'
import { freePort } from '@relay/tools/process/port.js'
import { waitFor } from '@relay/tools/wait-for.js'

/** A line on the screen, and how many seconds after the clone began. */
export type Shown = readonly [atS: number, line: string]

const INSTALL_TIMEOUT_MS = 600_000
/** Ports of npm start and what a newcomer would see. */
const PORTS = { PORT: '8080', OPS_PORT: '9464', WORKER_OPS_PORT: '9465', SIM_PORT: '9400' } as const

/** What a newcomer sees from `git clone` to the first delivered event. */
export async function newcomersClock(): Promise<readonly Shown[]> {
  const folder = join(await temporaryFolder('newcomer'), 'relay')
  const ports = await Promise.all(Object.keys(PORTS).map(() => freePort()))
  const began = performance.now()
  const shown: Shown[] = []
  const show = (line: string) => {
    if (line !== '') shown.push([(performance.now() - began) / 1_000, line])
  }
  show('$ git clone')
  await runCommand('git', ['clone', '--quiet', ROOT, folder])
  show('$ npm start')
  const child = await startChild({
    ...{ name: 'npm start', command: 'npm', args: ['start'], cwd: folder, onLine: show },
    env: {
      ...Object.fromEntries(Object.keys(PORTS).map((name, i) => [name, String(ports[i])])),
      npm_config_cache: join(folder, '../npm-cache'),
    },
  })
  try {
    await child.waitForLine(/^Press Ctrl-C/, INSTALL_TIMEOUT_MS)
    const screen = child.lastLines().join('\n')
    const [request = ''] = /^curl [^]*?(?=\n\n)/m.exec(screen) ?? []
    show('$ curl …')
    const { stdout } = await runCommand('sh', ['-c', request])
    show(stdout)
    const { request_id: id } = JSON.parse(stdout) as { request_id: string }
    const trace = () => runCommand('npx', ['relay', 'trace', id], { cwd: folder })
    await waitFor(async () => (await trace()).stdout.includes(`${id}: sent`), {
      ...{ what: 'the event to be delivered', timeoutMs: 60_000 },
    })
    show(`$ npx relay trace ${id}`)
    show((await trace()).stdout.trim().split('\n')[0] ?? '')
    const usual = (line: string) =>
      Object.values(PORTS).reduce(
        (text, port, i) => text.replaceAll(String(ports[i]), port),
        line.replaceAll(folder, '.'),
      )
    const secrets = await readFile(join(folder, '.relay/credentials.json'), 'utf8')
    const hidden = Object.values(JSON.parse(secrets) as Record<string, string>)
    return shown.map(([atS, line]) => [
      atS,
      hidden.reduce((text, secret) => text.replaceAll(secret, '…'), usual(line)),
    ])
  } finally {
    await child.stop()
    await rm(join(folder, '..'), { recursive: true, force: true })
  }
}
