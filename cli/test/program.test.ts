import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Context } from '../src/commands/context.js'
import { OperatorApi } from '../src/operator-api.js'
import { createProgram } from '../src/program.js'
import { FakeApi } from './console-double.js'

const WORKSPACE = {
  app_id: 'DEMO',
  state: 'running',
  mode: 'live',
  hold: null,
  slowed: null,
  backlog: { realtime: { total: 12_345 }, backfill: { total: 0 } },
  oldest_age_seconds: { realtime: 200, backfill: null },
  budgets: { users: { limit: 5_000, effective: 5_000, used: 4_900, left: 100 } },
  drain_eta_seconds: 148,
  dead_letters: { element_refused: 0, undecodable: 0, too_large: 0 },
}

const api = new FakeApi()
beforeAll(() => api.start())
afterAll(() => api.stop())
beforeEach(() => {
  api.answers.clear()
  api.asked.length = 0
  api.env = {}
})

const WORKERS = { alive: 2, partitions_served: 3, partitions_unserved: 0, none_since: null }

function serve(workspace: object, workers: { alive: number } = WORKERS, more: object = {}): void {
  const own = { workspaces: [workspace], workers_alive: workers.alive, workers }
  const text = JSON.stringify({ ...own, ...more })
  api.answers.set('GET /admin/workspaces', { status: 200, text })
}

it.each([
  [50, 'Redis lost data, or its workspace was removed'],
  [null, 'the import response contains the element count'],
])('the trace of a request of %s elements that is unknown says why', async (accepted, words) => {
  const counts = { accepted, queued: null, sent: 0, dead_lettered: 0, purged: 0, shadowed: 0 }
  const trace = { request_id: 'X', state: 'unknown', accepted_at: 'S', app_id: null, counts }
  const text = JSON.stringify({ ...trace, sent: [], dead_lettered: [] })
  api.answers.set('GET /admin/requests/X', { status: 200, text })
  expect((await api.run(['trace', 'X'])).out.join('\n')).toContain(words)
})

it('the status of an api that hangs is not waited for', async () => {
  const server = createServer((socket) => socket.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await expect(
    new OperatorApi({ url, token: 't' }, 50).text('GET', '/admin/workspaces'),
  ).rejects.toMatchObject({
    status: 69,
    message: `The api does not answer at ${url} in time.`,
    remedy: expect.stringContaining('read its log') as string,
  })
  await new Promise((resolve) => server.close(resolve))
})

describe('status', () => {
  it('is a table with the numbers that matter, and exit 0', async () => {
    serve(WORKSPACE)
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    expect(out.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'Workers: 2 alive; partitions with a backlog: 3 served, 0 unserved',
      '',
      'WORKSPACE STATE REALTIME BACKFILL OLDEST ETA BUDGETS DEAD LETTERS',
      'DEMO running 12,345 0 3.3 min 2.5 min users 4,900/5,000 0',
    ])
    expect(api.asked[0]?.authorization).toBe('Bearer t0ken')
  })

  it('a held workspace says why, what relay does and what to do, and exits 1', async () => {
    const hold = {
      ...{ reason: 'credentials_refused', since: 'S', next_probe_at: 'N' },
      ...{ meaning: 'MoEngage refuses the API key', next: 'Correct the key' },
    }
    serve({ ...WORKSPACE, state: 'held', hold, drain_eta_seconds: null })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(1)
    const text = out.join('\n')
    expect(text).toContain('DEMO is held since S: MoEngage refuses the API key')
    expect(text).toContain('tries again by itself at N')
    expect(text).toContain('Next: Correct the key')
  })

  it('a workspace that waits says so in the words of the api, and exits 0', async () => {
    const closure = { reason: 'tls', since: 'S', next_probe_at: 'N', meaning: 'no connection' }
    serve({ ...WORKSPACE, slowed: { state: 'retrying', ...closure } })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    expect(out.at(-1)).toBe(
      '~ DEMO: no connection. relay tries again by itself at N. Next: Nothing.',
    )
  })

  it('a probe that is due has no time in the past', async () => {
    const closure = { reason: 'tls', since: 'S', next_probe_at: 'N', probe_is_due: true }
    serve({ ...WORKSPACE, slowed: { state: 'retrying', ...closure, meaning: 'no connection' } })
    expect((await api.run(['status'])).out.at(-1)).toBe(
      '~ DEMO: no connection. relay tries again with the next element that may be sent. Next: Nothing.',
    )
  })

  it('budgets that recover after a restart of Redis are said', async () => {
    serve({ ...WORKSPACE, budgets_recovering: true })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    expect(out.at(-1)).toContain('~ DEMO: Redis restarted: nothing is sent until')
  })

  it('an ETA that is unknown as something is slow says so, with the next step', async () => {
    const words = 'elements wait although the budgets have room'
    serve({ ...WORKSPACE, drain_eta_seconds: null })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    expect(out.at(-1)).toContain(`~ DEMO: ${words}`)
    expect(out.at(-1)).toContain('Next: runbook RelayDeliveryLate.')
    serve({ ...WORKSPACE, drain_eta_seconds: null, budgets_recovering: true })
    expect((await api.run(['status'])).out.join('\n')).not.toContain(words)
    // What shadow keeps may wait for days.
    serve({ ...WORKSPACE, drain_eta_seconds: null, mode: 'shadow' })
    expect((await api.run(['status'])).out.join('\n')).not.toContain(words)
    serve({ ...WORKSPACE, drain_eta_seconds: null }, { ...WORKERS, alive: 0 })
    expect((await api.run(['status'])).out.join('\n')).not.toContain(words)
  })

  it('what 429s and 413s taught is said, until when, and exits 0', async () => {
    const budget = { share: 0.036, since: 'S', full_at: 'F' }
    serve({ ...WORKSPACE, learned: { budget, body: { bytes: 65_536, larger_at: 'L' } } })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    const text = out.join('\n')
    expect(text).toContain('429 at S: relay uses 4 % of its budgets, 100 % by F.')
    expect(text).toContain('(413): relay sends at most 65,536 bytes, and tries more after L.')
    serve({ ...WORKSPACE, learned: { budget: null, body: null } })
    expect((await api.run(['status'])).out.join('\n')).not.toMatch(/429|413/)
  })

  it.each([
    ['2026-11-29T02:09:00.000Z', '!', false],
    ['2026-11-29T02:04:00.000Z', '~', true],
  ])(
    'a pause until %s is marked %s, and outlasts what the 429 taught or does not',
    async (at, mark, isTaught) => {
      const budget = { share: 0.5, since: 'S', full_at: '2026-11-29T02:05:00.000Z' }
      const slowed = {
        ...{ state: 'rate_limited', reason: 'rate_limited', meaning: 'fewer' },
        ...{ since: '2026-11-29T02:00:00.000Z', next_probe_at: at },
      }
      serve({ ...WORKSPACE, slowed, learned: { budget, body: null } })
      const { out } = await api.run(['status'])
      expect(out).toContain(
        `${mark} DEMO: fewer. relay tries again by itself at ${at}. Next: Nothing.`,
      )
      expect(out.join('\n').includes('100 % by')).toBe(isTaught)
    },
  )

  it.each([true, false])('without a worker a probe, due or not, waits for one', async (isDue) => {
    const hold = { reason: 'tls', since: 'S', next_probe_at: 'N', probe_is_due: isDue }
    serve({ ...WORKSPACE, state: 'held', hold }, { ...WORKERS, alive: 0 })
    const text = (await api.run(['status'])).out.join('\n')
    expect(text).toContain('relay tries again once a worker is alive.')
    expect(text).not.toMatch(/may be sent|by itself at/)
  })

  it('while paused a held workspace promises no probe before it is resumed', async () => {
    const hold = { reason: 'tls', since: 'S', next_probe_at: 'N' }
    serve({ ...WORKSPACE, state: 'paused', hold })
    const text = (await api.run(['status'])).out.join('\n')
    expect(text).toContain('relay is paused, and tries again after relay resume DEMO.')
    expect(text).not.toContain('by itself at')
  })

  it('customers that wait are counted, and the estimate is said to be without that', async () => {
    const longest = [{ customer: 'ab12', since: 'S', until: 'U' }]
    serve({ ...WORKSPACE, customers_held: { count: 2, longest } })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(0)
    expect(out.at(-2)).toContain(
      'DEMO: 2 customers held back, the first since S until U at least (hash ab12)',
    )
    expect(out.at(-1)).toContain('The ETA ignores the hold')
    expect(out.join('\n')).toMatch(/DEMO +running .* 2\.5 min \+ held /)
    serve({ ...WORKSPACE, customers_held: { count: 0, longest: [] } })
    expect((await api.run(['status'])).out.join('\n')).not.toContain('held back')
  })

  it.each([
    ['2026-11-29T02:00:00.000Z', 'since 2026-11-29T02:00:00.000Z'],
    [null, 'since when is unknown'],
  ])('without a worker the first line is that, with no estimate, and exit 1', async (at, words) => {
    const none = { alive: 0, partitions_served: 0, partitions_unserved: 8, none_since: at }
    serve({ ...WORKSPACE, drain_eta_seconds: null }, none)
    const { out, status } = await api.run(['status'])
    expect(status).toBe(1)
    expect(out[0]).toBe(
      `! Workers: NONE ALIVE, ${words}; partitions with a backlog: 0 served, 8 unserved`,
    )
    expect(out[1]).toContain('Next: start a worker')
    expect(out.join('\n')).toMatch(/DEMO +not sending \(no worker\) +12,345 +0 +3\.3 min +unknown/)
  })

  it('a full memory of Redis comes first, with what to do, and exits 1', async () => {
    const problem = {
      reason: 'redis_full',
      meaning: 'the memory of Redis is full',
      next: 'Raise it',
    }
    serve(WORKSPACE, WORKERS, { intake_problem: problem })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(1)
    expect(out.slice(0, 2)).toEqual([
      '! Intake: the memory of Redis is full. Nothing accepted is lost.',
      '  Next: Raise it.',
    ])
  })

  it('says how Redis could lose elements, and exits 1', async () => {
    const risk = { meaning: 'Redis could lose accepted elements: F', next: 'Do it' }
    serve(WORKSPACE, WORKERS, { loss_risk: risk })
    const { out, status } = await api.run(['status'])
    expect(status).toBe(1)
    expect(out.slice(0, 2)).toEqual(['! Redis could lose accepted elements: F.', '  Next: Do it.'])
    serve(WORKSPACE, WORKERS, { loss_risk: null })
    expect((await api.run(['status'])).status).toBe(0)
  })

  it('a broken workspaces file comes first, with its fault and what to do, and exits 1', async () => {
    const problem = { meaning: 'the workspaces file is invalid (F)', next: 'Correct it' }
    for (const workspaces of [[WORKSPACE], []]) {
      serve(WORKSPACE, WORKERS, { workspaces, workspaces_file_problem: problem })
      const { out, status } = await api.run(['status'])
      expect(status).toBe(1)
      expect(out.slice(0, 2)).toEqual([
        '! Configuration: the workspaces file is invalid (F).',
        '  Next: Correct it.',
      ])
    }
    serve(WORKSPACE, WORKERS, { workspaces_file_problem: null })
    expect((await api.run(['status'])).status).toBe(0)
  })

  it('the backlog of workspaces that are not configured is said with their names, and exits 1', async () => {
    for (const workspaces of [[WORKSPACE], []]) {
      serve(WORKSPACE, WORKERS, { workspaces, orphaned: { elements: 57, app_ids: ['CRM'] } })
      const { out, status } = await api.run(['status'])
      expect([status, out[0]]).toEqual([
        1,
        '! 57 elements wait for workspaces that are not configured (CRM). Next: put them back into the workspaces file.',
      ])
    }
    serve(WORKSPACE, WORKERS, { orphaned: null })
    expect((await api.run(['status'])).status).toBe(0)
  })

  it('--json prints what the API said, unchanged', async () => {
    serve(WORKSPACE)
    const { out } = await api.run(['status', '--json'])
    expect(JSON.parse(out.join(''))).toMatchObject({ workspaces: [WORKSPACE], workers_alive: 2 })
  })
})

it.each([
  [401, 77, 'RELAY_ADMIN_TOKEN'],
  [403, 77, 'closed'],
  [400, 64, 'closed'],
  [503, 69, '/readyz'],
])('an answer of %i becomes exit %i with a remedy', async (answered, expected, words) => {
  const text = '{"error":{"message":"closed"}}'
  api.answers.set('GET /admin/workspaces', { status: answered, text })
  const { status, notes } = await api.run(['status'])
  expect(status).toBe(expected)
  expect(notes.join('\n')).toContain(words)
})

it.each([
  [
    'the intake',
    404,
    '{"status":"fail","error":{"message":"Resource not found","type":"Not Found"}}',
  ],
  ['a worker', 404, ''],
  ['a web page', 200, '<html></html>'],
  ['another page', 403, '<html></html>'],
  ['another API', 200, '{"ok":true}'],
  ['an API that answers no object', 200, 'null'],
  ['an API that answers a list', 200, '[]'],
  ['an API with other errors', 404, '{"message":"no route"}'],
])('at the port of %s it says that this is not the ops port of an api', async (_, to, text) => {
  api.answers.set('GET /admin/workspaces', { status: to, text })
  const { status, notes } = await api.run(['status'])
  expect(status).toBe(69)
  expect(notes.join('\n')).toContain('is not the ops port of an api')
  expect(notes.join('\n')).toContain('OPS_PORT (9464 by default)')
})

it.each([
  [['status', '--json']],
  [['dead-letters', 'list']],
  [['dead-letters', 'show', 'x']],
  [['dead-letters', 'replay', 'x', '--yes']],
  [['dead-letters', 'purge', 'x', '--yes']],
  [['pause', 'DEMO']],
  [['resume', 'DEMO']],
  [['trace', 'x']],
  [['forget', '--app-id', 'DEMO', '--customer-id', 'x', '--yes']],
  [['audit']],
  [['names', 'DEMO']],
  [['names', 'DEMO', '--reset', '--yes']],
  [['shadow', 'DEMO']],
])('%j does not take the JSON of another service for an answer', async (args) => {
  const paths = ['workspaces', 'dead-letters', 'dead-letters/x', 'dead-letters/replay', 'requests/x', 'forget', 'audit'] // prettier-ignore
  const below = ['pause', 'resume', 'names', 'shadow'].map((name) => `workspaces/DEMO/${name}`)
  for (const path of [...paths, ...below]) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      api.answers.set(`${method} /admin/${path}`, { status: 200, text: '{"ok":true}' })
    }
  }
  const { status, notes, out } = await api.run(args)
  expect([status, out]).toEqual([69, []])
  expect(notes.join(' ')).toContain('is not the ops port of an api')
})

it('at a port without TLS it says to try http', async () => {
  const plain = new OperatorApi({ url: api.url.replace('http:', 'https:'), token: null })
  await expect(plain.text('GET', '/x')).rejects.toMatchObject({
    status: 69,
    message: expect.stringContaining('does not speak TLS'),
    remedy: expect.stringContaining(`--url ${api.url}`),
  })
})

it('at a port that does not speak HTTP it says the same', async () => {
  const redis = createServer((socket) =>
    socket.once('data', () => socket.end('-ERR unknown command\r\n')),
  )
  await new Promise<void>((resolve) => redis.listen(0, '127.0.0.1', resolve))
  const { port } = redis.address() as AddressInfo
  const elsewhere = new OperatorApi({ url: `http://127.0.0.1:${port}`, token: null })
  await expect(elsewhere.text('GET', '/x')).rejects.toThrow('is not the ops port of an api')
  await new Promise((resolve) => redis.close(resolve))
})

it.each([
  [['trace', ''], 'request_id'],
  [['names', ' '], 'app-id'],
  [['pause', ''], 'app_id'],
  [['dead-letters', 'show', ''], 'id'],
  [['dead-letters', 'purge', '--yes', 'a', ''], 'ids'],
])('the empty argument of %j is named before anything is asked', async (args, name) => {
  const { status, notes } = await api.run(args)
  expect([status, notes.join(''), api.asked]).toEqual([64, `<${name}> is empty.`, []])
})

it('a --since that is no time is refused with the forms that are', async () => {
  const { status, notes } = await api.run(['dead-letters', 'list', '--since', 'yesterday'])
  expect([status, api.asked]).toEqual([64, []])
  expect(notes.join(' ')).toMatch(/--since "yesterday" is not a time.*24h.*ISO 8601/)
})

it('an import of a directory, or of no file, is refused and writes nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  const options = ['--app-id', 'DEMO', '--secret', 's']
  const here = await api.run(['import', folder, ...options])
  expect([here.status, here.notes.join(' ')]).toEqual([
    64,
    expect.stringContaining('is a directory'),
  ])
  const gone = await api.run(['import', join(folder, 'x.ndjson'), ...options])
  expect([gone.status, gone.notes.join(' ')]).toEqual([64, expect.stringContaining('No such file')])
  expect([await readdir(folder), existsSync(`${folder}.checkpoint`)]).toEqual([[], false])
  await rm(folder, { recursive: true })
})

it('an import stops at a checkpoint that does not fit, unless it is told to restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  const file = join(folder, 'f.ndjson')
  await writeFile(file, '{}\n')
  await writeFile(`${file}.checkpoint`, '{')
  api.answers.set('POST /v1/import/DEMO', { status: 200, text: '{"accepted":1}' })
  const args = ['import', file, '--app-id', 'DEMO', '--secret', 's', '--intake-url', api.url]
  const { status, notes } = await api.run(args)
  expect([status, api.asked]).toEqual([64, []])
  expect(notes.join(' ')).toMatch(/checkpoint .* cannot be read .*--restart/)
  expect((await api.run([...args, '--restart'])).status).toBe(0)
  expect(await readdir(folder)).toEqual(['f.ndjson'])
  await rm(folder, { recursive: true })
})

it('an api that is not there becomes exit 69 and says how to start it', async () => {
  const gone = new FakeApi()
  await gone.start()
  const { url } = gone
  await gone.stop()
  Object.defineProperty(gone, 'url', { value: url })
  const { status, notes } = await gone.run(['status'])
  expect(status).toBe(69)
  expect(notes.join('\n')).toContain('npm start')
})

describe('dead letters', () => {
  const letter = {
    ...{ id: 'DEMO.realtime.0.0.2.9', app_id: 'DEMO', lane: 'realtime', kind: 'event' },
    ...{ reason: 'element_refused', attempts: 3, request_id: 'R', accepted_at: 'A', dead_at: 'D' },
    answer: { status: 400, type: 'T', message: 'bad \u001b[31mplan', attribute: 'plan' },
  }
  const element = '{"n":12345678901234567890,"element":{"x":1.10}}'
  const text = `${JSON.stringify(letter).slice(0, -1)},"element":${element}}`

  it('a list passes its filter on, spans as moments, and cannot steer the terminal', async () => {
    const page = `{"dead_letters":[${text}],"next_cursor":"1.DEMO"}`
    api.answers.set('GET /admin/dead-letters', { status: 200, text: page })
    const filter = ['--app-id', 'DEMO', '--customer-id', 'a b', '--since', '90m']
    const { out, notes } = await api.run(['dead-letters', 'list', ...filter])
    const query = new URL(api.asked[0]?.url ?? '', 'http://x').searchParams
    expect(Object.fromEntries(query)).toEqual({
      app_id: 'DEMO',
      customer_id: 'a b',
      since: '2026-11-23T10:30:00.000Z',
      limit: '50',
    })
    expect(out.join('')).not.toContain('\u001b')
    expect(notes.join('')).toContain('--cursor 1.DEMO')
  })

  it('one letter shows its element byte for byte', async () => {
    api.answers.set(`GET /admin/dead-letters/${letter.id}`, { status: 200, text })
    const { out } = await api.run(['dead-letters', 'show', letter.id])
    expect(out.at(-1)).toBe(`element        ${element}`)
  })

  it.each<[string, boolean | null, string[], number, number]>([
    ['purge', null, [], 64, 0],
    ['purge', false, [], 0, 0],
    ['purge', true, [], 0, 1],
    ['purge', null, ['--yes'], 0, 1],
    ['replay', null, [], 64, 0],
    ['replay', true, [], 0, 1],
    ['replay', null, ['--yes'], 0, 1],
    ['replay', false, [], 0, 0],
  ])(
    '%s with a person who says %p and %j exits %i after %i requests',
    async (name, person, more, expected, requests) => {
      api.answers.set('DELETE /admin/dead-letters', { status: 200, text: '{"count":2}' })
      api.answers.set('POST /admin/dead-letters/replay', { status: 200, text: '{"count":2}' })
      const run = await api.run(['dead-letters', name, '--app-id', 'DEMO', ...more], person)
      expect(run.status).toBe(expected)
      expect(api.asked.map(({ body }) => body)).toEqual(
        Array.from({ length: requests }, () => '{"app_id":"DEMO"}'),
      )
    },
  )

  it('a change that names nothing is refused before anything is asked', async () => {
    const { status } = await api.run(['dead-letters', 'purge', '--yes'])
    expect([status, api.asked.length]).toEqual([64, 0])
  })
})

it('every command and option is completed in every shell', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = (await api.run(['completion', shell])).out.join('\n')
    for (const word of ['status', 'dead-letters', 'replay', 'trace', 'customer-id', 'watch']) {
      expect(script).toContain(word)
    }
  }
})

it('the help of every command ends with an example that names it', () => {
  for (const { path, help } of commandsOf(createProgram({} as Context))) {
    expect(help).toMatch(/\nExamples?:\n/)
    expect(help.split(/\nExamples?:\n/)[1]).toContain(`relay ${path}`)
  }
})

/** Every command below, with what its help says. */
function commandsOf(
  command: Command,
  above: readonly string[] = [],
): { path: string; help: string }[] {
  return command.commands.flatMap((below) => {
    const names = [...above, below.name()]
    let help = ''
    below.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    return [{ path: names.join(' '), help }, ...commandsOf(below, names)]
  })
}

describe('forget', () => {
  const ERASURE = { id: 'E', status: 'done', queued: 3, dead_letters: 1, workers_pending: 0 }
  const args = ['forget', '--app-id', 'DEMO', '--customer-id', 'bob', '--yes']
  const answer = (method: string, path: string, erasure: object) =>
    api.answers.set(`${method} ${path}`, { status: 200, text: JSON.stringify(erasure) })

  it('waits until no worker can send the data, and says what it waits for', async () => {
    answer('POST', '/admin/forget', { ...ERASURE, status: 'pending', workers_pending: 2 })
    answer('GET', '/admin/forget/E', ERASURE)
    const { out, notes, status } = await api.run(args)
    expect(out).toEqual([
      "Done: 3 queued elements and 1 dead letter erased; no worker can send this customer's data. Elements in a request at that time may have reached MoEngage.",
    ])
    expect(notes).toEqual([
      'Erasure E is pending: 2 workers have not confirmed. It continues by itself.',
    ])
    expect(status).toBe(0)
  })

  it('sends identifiers as pairs, split at the first =', async () => {
    answer('POST', '/admin/forget', ERASURE)
    const pairs = ['--identifier', 'email=ann@example.org', 'token=a=b']
    expect(await api.run(['forget', '--app-id', 'DEMO', ...pairs, '--yes'])).toMatchObject({
      status: 0,
    })
    expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({
      app_id: 'DEMO',
      user_identifiers: { email: 'ann@example.org', token: 'a=b' },
    })
  })

  it.each([
    [['ann@example.org'], '"ann@example.org" is not NAME=VALUE'],
    [['email=ann@example.org', '=bob'], '"=bob" is not NAME=VALUE'],
    [['email='], '"email=" is not NAME=VALUE'],
    [['email= '], '"email= " is not NAME=VALUE'],
    [['email=a', 'email=b'], '"email=b" gives email a second value'],
  ])('the identifiers %j are refused before anything is asked', async (pairs, words) => {
    const options = ['--app-id', 'DEMO', '--yes', '--identifier', ...pairs]
    const { status, notes } = await api.run(['forget', ...options])
    expect([status, api.asked]).toEqual([64, []])
    expect(notes.join(' ')).toContain(words)
  })

  it('an id and identifiers together are one too many', async () => {
    const { status, notes } = await api.run([...args, '--identifier', 'email=a'])
    expect([status, api.asked]).toEqual([64, []])
    expect(notes.join(' ')).toContain('not both')
  })

  it('says when nothing was found', async () => {
    answer('POST', '/admin/forget', { ...ERASURE, queued: 0, dead_letters: 0 })
    const { out } = await api.run(args)
    expect(out[0]).toMatch(/Nothing was found: name the customer as the elements do\.$/)
  })

  it('with --no-wait returns the id of a pending erasure', async () => {
    answer('POST', '/admin/forget', { ...ERASURE, status: 'pending', workers_pending: null })
    const { out } = await api.run([...args, '--no-wait'])
    expect(out).toEqual(['Pending (E): 3 queued elements and 1 dead letter erased so far.'])
    expect(api.asked.filter(({ method }) => method === 'GET')).toEqual([])
  })
})

describe('secrets', () => {
  it('that are arguments are named with the variable that hides them, and never repeated', async () => {
    serve(WORKSPACE)
    const { notes, status } = await api.run(['--token', 'tok3n-of-the-api', 'status'])
    expect(status).toBe(0)
    expect(notes.join()).toContain('RELAY_ADMIN_TOKEN')
    expect(notes.join()).not.toContain('tok3n-of-the-api')
    expect((await api.run(['status'])).notes).toEqual([])
  })

  it('are asked for in the environment, not as arguments, when one is refused', async () => {
    api.answers.set('GET /admin/workspaces', { status: 401, text: '{}' })
    const { notes } = await api.run(['status'])
    expect(notes.join()).toContain('RELAY_ADMIN_TOKEN')
    expect(notes.join()).not.toContain('--token')
  })
})

describe('names', () => {
  const name = { kind: 'user attribute', types: ['text'], since: '2026-11-29', producer: 'shop' }
  const view = {
    app_id: 'DEMO',
    bounds: [{ of: 'user attributes', known: 2, limit: 256, portfolio_limit: 1_024 }],
    names: [
      { ...name, name: 'color', doubt: 'one letter from colour' },
      { ...name, name: 'colour', doubt: null },
    ],
  }
  const path = 'GET /admin/workspaces/DEMO/names'

  it('lists doubtful ones and how near they are to the bounds, and all on request', async () => {
    api.answers.set(path, { status: 200, text: JSON.stringify(view) })
    const { out, status } = await api.run(['names', 'DEMO'])
    expect(status).toBe(0)
    expect(out.map((line) => line.replaceAll(/ +/g, ' ').trim())).toEqual([
      'KNOWN OF NAMES',
      '2 256 user attributes (1,024 in a Portfolio)',
      '',
      '2 names, 1 of them doubtful. Apis report names within 10 s of a post.',
      '',
      'KIND NAME TYPES SINCE PRODUCER DOUBT',
      'user attribute color text 2026-11-29 shop one letter from colour',
    ])
    expect((await api.run(['names', 'DEMO', '--all'])).out).toHaveLength(out.length + 1)
    expect((await api.run(['names', 'DEMO', '--json'])).out).toEqual([JSON.stringify(view)])
  })

  it('deletes them on request, and shows what is left', async () => {
    const text = JSON.stringify({ ...view, names: [] })
    const gone = { status: 200, text: '{"app_id":"DEMO"}' }
    api.answers.set('DELETE /admin/workspaces/DEMO/names', gone)
    api.answers.set(path, { status: 200, text })
    expect(await api.run(['names', 'DEMO', '--reset'])).toMatchObject({ status: 64 })
    expect(api.asked).toEqual([])
    const { out, status } = await api.run(['names', 'DEMO', '--reset', '--yes'])
    expect(status).toBe(0)
    expect(api.asked.map(({ method }) => method)).toEqual(['DELETE', 'GET'])
    expect(out.join()).toContain('No names of DEMO are known')
  })

  it('says that there are none', async () => {
    const text = JSON.stringify({ ...view, names: [] })
    api.answers.set(path, { status: 200, text })
    expect((await api.run(['names', 'DEMO'])).out.join()).toContain('within 10 s of a post')
  })
})

describe('check', () => {
  const env = {
    ...{ MOENGAGE_APP_ID: 'OWN', MOENGAGE_API_KEY: 'k', MOENGAGE_BASE_URL: 'http://127.0.0.1:9' },
    REDIS_URL: 'redis://127.0.0.1:9',
  }

  it.each<[string, Record<string, string>]>([
    ['workspaces file', { ...env, RELAY_WORKSPACES_FILE: '/no/such/file' }],
    ['environment', { ...env, PORT: 'x' }],
    ['environment without a workspace', { REDIS_URL: env.REDIS_URL, PORT: 'x' }],
  ])('an unusable %s exits 78, and is not compared with the running api', async (_, faulty) => {
    serve(WORKSPACE)
    api.env = faulty
    const { out, status } = await api.run(['check'])
    expect(status).toBe(78)
    expect(out.join('\n')).not.toContain('serves other workspaces')
  })

  it('what does not work with a valid configuration exits 1', async () => {
    serve(WORKSPACE)
    api.env = env
    const { out, status } = await api.run(['check'])
    expect(status).toBe(1)
    expect(out.join('\n')).toContain('serves other workspaces (DEMO) than this shell names (OWN)')
    expect(out.at(-1)).toBe('2 checks failed.')
  })

  it('one failed check is singular', async () => {
    api.env = { ...env, MOENGAGE_BASE_URL: api.url }
    expect((await api.run(['check'])).out.at(-1)).toBe('1 check failed.')
  })
})
