import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { startChild } from '@relay/tools/process/child.js'
import { freePort } from '@relay/tools/process/port.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Console } from './console.js'
import type { Line } from './line.js'
import { linesWith, Place, runRelay, SECRET, SHOP, TOKEN, user } from './place.js'

/** `npm start` of this checkout on other ports. */
export async function withStart<T>(
  env: Readonly<Record<string, string>>,
  use: (printed: string, ports: readonly number[]) => Promise<T>,
): Promise<T> {
  const names = ['PORT', 'OPS_PORT', 'WORKER_OPS_PORT', 'SIM_PORT']
  const ports = await Promise.all(names.map(() => freePort()))
  const moved = Object.fromEntries(names.map((name, i) => [name, String(ports[i])]))
  const entry = join(ROOT, 'tools/bin/start.mjs')
  const child = await startChild({ name: 'npm start', entry, env: { ...moved, ...env }, cwd: ROOT })
  try {
    await child.waitForLine(/^Press Ctrl-C/, 120_000)
    return await use(child.lastLines().join('\n'), ports)
  } finally {
    await child.stop()
  }
}

const checkWithRedisUrl: Line = {
  lines: [5],
  before:
    '`relay check` denies a running relay when `REDIS_URL` is exported; the command line forgets moved ports although `.relay/running.json` has them.',
  see: () =>
    withStart({}, async (_, [, opsPort]) => {
      const check = await runRelay(['check'], { REDIS_URL: 'redis://127.0.0.1:1' })
      const status = await runRelay(['status'], {})
      return {
        'relay check': `${linesWith(check.text, 'workspaces', 'relay can run', 'FAIL')} (exit ${check.code})`,
        'relay status, OPS_PORT moved':
          `${linesWith(status.text, 'Workers', 'DEMO')} (exit ${status.code})`.replaceAll(
            String(opsPort),
            'PORT',
          ),
      }
    }),
}

const wrongToken: Line = {
  ...{ lines: [5], before: 'A wrong token in the console shows a message of the API.' },
  see: async () => {
    const place = await Place.start({ withoutWorker: true })
    const view = await Console.open(place.url('apiOps'), 'another-token')
    const words = await view.read('.fault')
    await view.close()
    const status = await place.relay(['status'], { RELAY_ADMIN_TOKEN: 'another-token' })
    await place.stop()
    return { console: words, status: `${status.text} (exit ${status.code})` }
  },
}

const queues: Line = {
  lines: [5],
  before: 'The queue view\'s partitions are "0 › 0…7" and counts are chunks.',
  see: async () => {
    const place = await Place.start()
    await place.relay(['pause', SHOP])
    for (const customer of ['anna', 'anna', 'ben'])
      await (await place.post(user({ plan: 'gold' }, customer))).text()
    const view = await Console.open(place.url('apiOps'), TOKEN)
    await view.read('.card')
    await view.go('queues')
    const table = await view.read('main table, main p[role=status]', /SHOP/)
    await view.close()
    await place.stop()
    return { console: table.replaceAll('\t', ' · ') }
  },
}

const deadLetters: Line = {
  lines: [7],
  before:
    'Dead-letter rows do not show the customer; `expired` cannot be filtered in the console; audit, shadow and forget have no page; "1 dead letters".',
  see: async () => {
    const place = await Place.start()
    place.simulator.addFault({ when: { path: 'attributes.poison' }, action: { kind: 'refuse' } })
    await (await place.post(user({ poison: true }))).text()
    const list = () => place.relay(['dead-letters', 'list'])
    await waitFor(async () => (await list()).text.includes('element_refused'), {
      ...{ what: 'a dead letter', timeoutMs: 30_000, everyMs: 200 },
    })
    const view = await Console.open(place.url('apiOps'), TOKEN)
    const badge = await view.read('.card .badge.dead', /1/)
    await view.go('dead-letters')
    const row = await view.read('.letters summary', /customer/)
    const reasons = await view.read('select[name=reason]')
    const pages = await view.read('nav a')
    await view.close()
    const { text } = await list()
    await place.stop()
    return {
      ...{ 'badge of the console': badge, 'row of the console': row },
      ...{ 'reasons of the filter': reasons, 'pages of the console': pages },
      'relay dead-letters list': text.replaceAll(/ {2,}/g, ' · ').replaceAll('\n', ' / '),
    }
  },
}

const refused: Line = {
  ...{ lines: [7], before: '`FILE.refused.ndjson` has line and message but not the line itself.' },
  see: async () => {
    const place = await Place.start()
    const good = JSON.stringify(user({ plan: 'gold' }))
    const file = await place.write('users.ndjson', `${good}\n{"type":"customer","attributes":{}}\n`)
    const { code, text } = await place.relay(['import', file, '--app-id', SHOP], {
      ...{ RELAY_INTAKE_URL: place.url('api'), RELAY_PRODUCER_SECRET: SECRET },
    })
    const report = await readFile(`${file}.refused.ndjson`, 'utf8')
    await place.stop()
    const folder = new RegExp(`${place.folder}/`, 'g')
    return {
      'relay import': `${text.replaceAll(folder, '').split('\n').slice(-3).join(' / ')} (exit ${code})`,
      'users.ndjson.refused.ndjson': report.trimEnd(),
    }
  },
}

const reference: Line = {
  lines: [15],
  before: '`/docs` is named by neither banner nor README nor the 404 at `/`.',
  see: () =>
    withStart({}, async (printed, [port]) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`)
      const { error } = (await answer.json()) as { error: { message: string } }
      const hide = (text: string) => text.replaceAll(String(port), '8080')
      return {
        banner: hide(linesWith(printed, '/docs')),
        '404 at /': error.message,
        README: linesWith(await readFile(join(ROOT, 'README.md'), 'utf8'), '8080/docs', '`/docs`'),
      }
    }),
}

export const OPERATOR_LINES: readonly Line[] = [
  ...[checkWithRedisUrl, wrongToken, queues, refused, deadLetters, reference],
]
