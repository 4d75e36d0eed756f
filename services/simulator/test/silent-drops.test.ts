import { parseSimulatorEnvironment } from '../src/environment.js'
import { startSimulator, type Simulator } from '../src/simulator.js'
import type { SettingsInput } from '../src/settings.js'
import { APP, GOOD_HEADERS, KEY, bulk, call, event, postBulk, user } from './client.js'

const opened: Simulator[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((simulator) => simulator.close()))
})

const clock = { atMs: 1_790_000_000_000, nowMs: () => clock.atMs, monotonicMs: () => clock.atMs }

async function start(options: SettingsInput): Promise<Simulator> {
  const simulator = await startSimulator({ workspaces: { [APP]: KEY }, ...options }, clock)
  opened.push(simulator)
  return simulator
}

const reasons = ({ record }: Simulator) =>
  record.drops.newest.after(0, 100).map(({ customer, reason }) => [customer, reason])

test('a customer beyond a limit is silently blocked for an hour, also for other senders', async () => {
  const simulator = await start({ customerLimits: [{ units: 5, windowMs: 60_000 }] })
  const post = (n: number) => postBulk(simulator.url, [event('hot', n, 3), user('cold', { n })])
  expect((await post(1)).status).toBe(200)
  expect(reasons(simulator)).toEqual([])
  expect((await post(2)).status).toBe(200)
  expect(reasons(simulator)).toEqual([['hot', 'fair_usage_policy']])
  clock.atMs += 3_000_000
  await post(3)
  clock.atMs += 600_000
  await post(4)
  expect(simulator.record.ofCustomer(APP, 'hot')).toHaveLength(2)
  expect(simulator.record.ofCustomer(APP, 'cold')).toHaveLength(4)
  expect(simulator.policy()).toEqual([
    { appId: APP, breaches: 1, peaks: [{ units: 5, windowMs: 60_000, peak: 6 }] },
  ])
})

test('elements of a project that the workspace lacks are dropped; the record names projects', async () => {
  const simulator = await start({ projects: ['EU'] })
  const target = `${simulator.url}/v1/transition/${APP}`
  const post = (query: string, customer: string) =>
    call(`${target}${query}`, { headers: GOOD_HEADERS, body: bulk([user(customer)]) })
  expect((await post('?project_code=EU', 'anna')).status).toBe(200)
  expect((await post('?project_code=XX', 'bert')).status).toBe(200)
  expect((await post('', 'cleo')).status).toBe(200)
  expect(reasons(simulator)).toEqual([['bert', 'unknown_project']])
  expect(simulator.record.requests.after(0, 9).map((r) => r.projectCode)).toEqual(['EU', 'XX', null]) // prettier-ignore
})

test('invalid elements that are accepted in silence are recorded with what is wrong', async () => {
  const simulator = await start({ validation: 'silent' })
  await postBulk(simulator.url, [user('anna'), { type: 'Customer', customer_id: 'bert' }])
  const drops = await call(`${simulator.url}/control/drops`, { method: 'GET' })
  expect(JSON.parse(drops.text)).toMatchObject({
    byReason: { invalid: 1, fair_usage_policy: 0, unknown_project: 0 },
    dropped: [{ customer: 'bert', reason: 'invalid', message: expect.stringContaining('type') as string }],
  }) // prettier-ignore
})

test('an allow-list wants its address in X-Forwarded-For, and refuses in its own shape', async () => {
  const simulator = await start({ allowedIps: ['203.0.113.7'] })
  const refused = await postBulk(simulator.url, [user('anna')])
  expect([refused.status, JSON.parse(refused.text)]).toEqual([
    403,
    { error: 'IP Validation Required', message: 'IP Validation Failed. Please check your IP!!' },
  ])
  const headers = { ...GOOD_HEADERS, 'x-forwarded-for': '10.0.0.1, 203.0.113.7' }
  expect((await postBulk(simulator.url, [user('anna')], { headers })).status).toBe(200)
})

test.each([
  ['seconds', '20', '20'],
  ['epoch', '20', String(1_790_000_000 + 20)],
  ['envoy_seconds', '20, 20;w=20', '20'],
  ['envoy_epoch', '20, 20;w=20', String(1_790_000_000 + 20)],
] as const)(
  'rate-limit headers in the form %s tell of the fuller budget',
  async (form, limit, reset) => {
    clock.atMs = 1_790_000_000_000
    const simulator = await start({ rateLimitHeaders: form, windowMs: 20_000, usersPerWindow: 100, eventsPerWindow: 20 }) // prettier-ignore
    const { headers } = await postBulk(simulator.url, [user('anna'), event('bert', 1, 15)])
    expect([headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']]).toEqual([limit, '5', reset]) // prettier-ignore
  },
)

const newer = { ...parseSimulatorEnvironment({ SIM_PRESET: 'newer' }), port: 0, workspaces: { [APP]: { key: KEY } } } // prettier-ignore
const keys = (count: number, value: unknown = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]))
const viewed = (attributes: object, name = 'Viewed') => ({ type: 'event', customer_id: 'anna', actions: [{ action: name, attributes }] }) // prettier-ignore
const clears = (entry: object) => ({ ...user('anna', { old: 1 }), unset_attributes: [entry] })

test.each<[what: string, element: object, reason: string, path: string]>([
  ['mixed array', user('anna', { a: [1, 'x'] }), 'mixed_array', 'attributes.a'],
  ['array of booleans', viewed({ a: [true] }), 'mixed_array', 'actions[0].attributes.a'],
  ['URL over 512', user('anna', { a: `https://x.example/${'y'.repeat(500)}` }), 'long_url', 'attributes.a'],
  ['text over 512', user('anna', { a: { b: ['x', '😀'.repeat(513)] } }), 'long_text', 'attributes.a.b[1]'],
  ['reserved name', user('anna', { status: 1 }), 'reserved_name', 'attributes.status'],
  ['null', user('anna', { a: { b: null } }), 'null_value', 'attributes.a.b'],
  ['unsupported name', user('anna', { a$b: 1 }), 'unsupported_name', 'attributes.a$b'],
  ['unknown member', { ...user('anna'), props: {} }, 'unknown_member', 'props'],
  ['device attribute', { type: 'device', customer_id: 'anna', device_id: 'd', attributes: { platform: 'iOS', push_id: 'p', color: 1 } }, 'device_attribute', 'attributes.color'],
  ['over 100 event attributes', viewed(keys(101)), 'many_attributes', 'actions[0].attributes'],
  ['placeholder of an id', user('undefined'), 'placeholder_id', ''],
  ['blank event name', viewed({}, ' '), 'blank_action', 'actions[0]'],
  ['object over 100 keys', user('anna', { a: keys(101) }), 'many_keys', 'attributes.a'],
  ['object over 25 KB', user('anna', { a: keys(80, 'x'.repeat(400)) }), 'large_object', 'attributes.a'],
  ['object in a standard attribute', user('anna', { u_n: { a: 1 } }), 'standard_object', 'attributes.u_n'],
  ['third level', user('anna', { a: { b: { c: {} } } }), 'deep_object', 'attributes.a.b.c'],
  ['entry of unset_attributes', clears({ type: 'x' }), 'unset_entry', 'unset_attributes[0]'],
  ['set and unset', clears({ type: 'prefix', attr: 'OL', case_sensitive: false }), 'unset_wins', 'attributes.old'],
  ['set and add', user('anna', { t: ['a'], addValueToArrayField: { t: ['b'] } }), 'set_and_changed', 'attributes.addValueToArrayField.t'],
  ['operator on platforms', user('anna', { addValueToArrayField: { platforms: ['b'] } }), 'operator_on_reserved', 'attributes.addValueToArrayField.platforms'],
  ['operator of an event', viewed({ addValueToArrayField: { t: ['b'] } }), 'no_operator', 'actions[0].attributes.addValueToArrayField'],
  ['type in capitals', { ...user('anna'), type: 'Customer' }, 'invalid', ''],
])('with the newer rules, the drop is recorded with element, reason and path: %s', async (_, element, reason, path) => {
  const simulator = await start(newer)
  expect((await postBulk(simulator.url, [element, user('bert')])).status).toBe(200)
  const drops = await call(`${simulator.url}/control/drops`, { method: 'GET' })
  expect((JSON.parse(drops.text) as { dropped: unknown }).dropped).toEqual([
    expect.objectContaining({ reason, path, element }),
  ])
  expect(simulator.record.totals.elements).toBe(path === '' ? 1 : 2)
}) // prettier-ignore

test('without the newer rules, and of what is right with them, nothing is dropped', async () => {
  const odd = user('anna', { a: [1, 'x'], status: null })
  const right = [
    user('anna', { a: [], b: ['x', 'y'], c: [{ d: 1, e: { f: [1] } }], u_n: 'Jo', url: 'https://x.example', platforms: [{ platform: 'web' }], addValueToArrayField: { t: ['b'] } }),
    clears({ type: 'equals', attr: 'Old' }),
    viewed({ ...keys(99), status: 1 }),
  ] // prettier-ignore
  for (const [options, elements] of [
    [{}, [odd]],
    [newer, right],
  ] as const) {
    const simulator = await start(options)
    await postBulk(simulator.url, elements)
    expect(reasons(simulator)).toEqual([])
    expect(simulator.record.totals.elements).toBe(elements.length)
  }
})
