import { visible } from '../../src/terminal.js'
import { FakeApi } from '../console-double.js'

const STEERING = '\u001b[2J\u0007\r\n\u202e\u2066\u2028\u009b'
const FOUND = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u

/** The same with steering characters in every text, and in every name that is not the program's own. */
function hostile(value: unknown): unknown {
  if (typeof value === 'string') return `${value}${STEERING}`
  if (Array.isArray(value)) return value.map(hostile)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, hostile(own)]))
}

const counts = { user: 1, event: 1, device: 0, total: 2 }
const closure = { reason: 'tls', since: 'S', next_probe_at: 'N', meaning: 'no connection', next: 'Do it' } // prettier-ignore
const answer = { status: 400, type: 'T', message: 'no', attribute: 'a', request_id: 'r' }
const letter = {
  ...{ id: 'A.1', app_id: 'A', lane: 'realtime', kind: 'user', reason: 'refused', customer: 'c' },
  ...{ answer, project_code: 'p', attempts: 1, request_id: 'r', accepted_at: 'now' },
  ...{ dead_at: 'now', element: { a: 'b' } },
}
const STATUS = {
  intake_problem: { meaning: 'full', next: 'wait' },
  loss_risk: { meaning: 'it evicts', next: 'stop it' },
  workspaces_file_problem: { meaning: 'broken', next: 'fix it' },
  orphaned: { elements: 1, app_ids: ['B'] },
  workers_alive: 0,
  workers: { alive: 0, partitions_served: 0, partitions_unserved: 8, none_since: 'now' },
  workspaces: [
    {
      ...{ app_id: 'A', state: 'held', mode: 'shadow', hold: closure },
      slowed: { state: 'retrying', ...closure },
      backlog: { realtime: counts, backfill: counts },
      oldest_age_seconds: { realtime: 1, backfill: null },
      budgets: { ['users\u001b[2J']: { limit: 5, effective: 4, used: 1, left: 3 } },
      customers_held: { count: 1, longest: [{ customer: 'ab', since: 'S', until: 'U' }] },
      ...{ drain_eta_seconds: null, dead_letters: { refused: 1 } },
    },
  ],
}
const NAMES = {
  app_id: 'A',
  bounds: [{ of: 'events', event: 'e', known: 1, limit: 2 }],
  names: [{ kind: 'event', name: 'n', types: ['text'], since: 'S', producer: 'p', doubt: 'd' }],
}
const TRACE = {
  ...{ request_id: 'r', app_id: 'A', accepted_at: 'now', state: 'sent', counts: { sent: 1 } },
  sent: [{ at: 'now', bulk_request_id: 'b', vendor_request_id: 'v', elements: 1 }],
  dead_lettered: [{ id: 'A.1', reason: 'refused', answer }],
}

const api = new FakeApi()
beforeAll(() => api.start())
afterAll(() => api.stop())

it.each([
  [['status'], 'GET /admin/workspaces', STATUS],
  [['names', 'A', '--all'], 'GET /admin/workspaces/A/names', NAMES],
  [['trace', 'r'], 'GET /admin/requests/r', TRACE],
  [['audit'], 'GET /admin/audit', { actions: [{ at: 'now', action: 'pause', 'x\u001b[2J': 'y' }] }],
  [['dead-letters', 'list'], 'GET /admin/dead-letters', { dead_letters: [letter], next_cursor: null }], // prettier-ignore
  [['dead-letters', 'show', 'A.1'], 'GET /admin/dead-letters/A.1', letter],
] as const)('an api steers no terminal by what it says: %j', async (args, path, view) => {
  api.answers.set(path, { status: 200, text: JSON.stringify(hostile(view)) })
  const { out, notes } = await api.run(args)
  expect(out.length).toBeGreaterThan(0)
  expect([...out, ...notes].filter((line) => FOUND.test(line))).toEqual([])
})

it('nor by an error', async () => {
  const text = JSON.stringify({ error: { message: `no${STEERING}` } })
  api.answers.set('GET /admin/audit', { status: 500, text })
  const { notes } = await api.run(['audit'])
  expect(notes.join('')).toContain('no')
  expect(notes.join('')).not.toMatch(FOUND)
})

it('what reaches the terminal in other ways is made visible, and JSON stays what it was', () => {
  expect(visible(`a${STEERING}b`).replaceAll('\n', '')).not.toMatch(FOUND)
  expect(visible('two\nlines\tand a tab')).toBe('two\nlines\tand a tab')
  const raw = '{"a":"\u009b\u202e\u007f"}'
  expect(JSON.parse(visible(raw))).toEqual(JSON.parse(raw))
})
