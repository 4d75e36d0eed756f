import { startSimulator, type Simulator } from '../../src/simulator.js'
import { APP, KEY, call, event, postBulk, user } from '../client.js'

let simulator: Simulator
beforeEach(async () => {
  simulator = await startSimulator({ workspaces: { [APP]: KEY } })
})
afterEach(() => simulator.close())

const control = async (method: string, path: string, body?: unknown) => {
  const text = body === undefined ? '' : JSON.stringify(body)
  const reply = await call(`${simulator.url}/control/${path}`, { method, body: text })
  return { status: reply.status, json: JSON.parse(reply.text) as unknown, text: reply.text }
}

test('faults are added, listed, counted and cleared', async () => {
  const added = await control('POST', 'faults', [
    { id: 'storm', count: 2, action: { kind: 'answer', row: 'server_error' } },
    { action: { kind: 'body_ceiling', bytes: 60_000 } },
  ])
  expect(added).toMatchObject({ status: 201, json: { added: ['storm', 'fault-2'] } })
  await postBulk(simulator.url, [event('anna')])
  expect((await control('GET', 'faults')).json).toMatchObject({
    faults: [{ id: 'storm', left: 1, applied: 1 }, { id: 'fault-2' }],
  })
  expect((await control('DELETE', 'faults/storm')).json).toMatchObject({ faults: [{}] })
  expect((await control('DELETE', 'faults/storm')).status).toBe(404)
  expect((await control('DELETE', 'faults')).json).toEqual({ faults: [] })
})

test('a fault that is none is refused with the reason', async () => {
  const reply = await control('POST', 'faults', { action: { kind: 'explode' } })
  expect(reply.status).toBe(400)
  expect(reply.text).toContain('action')
  expect((await control('POST', 'faults', { action: { kind: 'refuse' } })).status).toBe(400)
})

test('settings change while running, field by field, and keys are not shown', async () => {
  await control('PATCH', 'settings', { usersPerWindow: 7, latency: { afterMs: 1 } })
  await control('PATCH', 'settings', { latency: { beforeMs: 2 } })
  const { json, text } = await control('GET', 'settings')
  expect(json).toMatchObject({
    usersPerWindow: 7,
    eventsPerWindow: 20_000,
    latency: { afterMs: 1, beforeMs: 2 },
    workspaces: { [APP]: { keySet: true } },
  })
  expect(text).not.toContain(KEY)
  expect((await control('PATCH', 'settings', { usersPerWindow: 0 })).status).toBe(400)
  expect((await control('PATCH', 'settings', { port: 1 })).status).toBe(400)
})

test('elements are read on from where the last reading ended, bytes unchanged', async () => {
  const odd = `{"type":"customer","customer_id":"anna","attributes":{"n":1.10}}`
  await call(`${simulator.url}/v1/customer/${APP}`, {
    headers: {
      'content-type': 'application/json',
      'moe-appkey': APP,
      authorization: `Basic ${Buffer.from(`${APP}:${KEY}`).toString('base64')}`,
    },
    body: odd,
  })
  await postBulk(simulator.url, [event('bert', 1), event('bert', 2)])
  const first = await control('GET', 'elements?limit=1')
  expect(first.text).toContain(`"element":${odd}`)
  expect(first.json).toMatchObject({ next: 1, last: 3 })
  const rest = await control('GET', 'elements?since=1&raw=1')
  expect(rest.json).toMatchObject({
    next: 3,
    elements: [
      { seq: 2, raw: JSON.stringify(event('bert', 1)) },
      { seq: 3, raw: JSON.stringify(event('bert', 2)) },
    ],
  })
  expect((await control('GET', 'elements?since=3')).json).toMatchObject({ next: 3, elements: [] })
})

test('requests and the summary can be read', async () => {
  await postBulk(simulator.url, [user('anna', { name: 'A' }), user('anna', { name: 'B', x: 1 })])
  expect((await control('GET', 'requests?customers=1')).json).toMatchObject({
    requests: [{ seq: 1, status: 200, fate: 'accepted', elements: 2, customers: ['anna'] }],
  })
  expect((await control('GET', 'record')).json).toMatchObject({
    totals: { elements: 2, users: 2 },
    budgets: [{ appId: APP, users: { peak: 2 } }],
    overlap: { maxOfOneCustomer: 1, overlaps: 0 },
  })
  await control('DELETE', 'record')
  expect((await control('GET', 'record')).json).toMatchObject({ totals: { elements: 0 } })
})

test('unknown calls and broken bodies are answered, not fatal', async () => {
  expect((await control('GET', 'nothing')).status).toBe(404)
  expect((await call(`${simulator.url}/control/faults`, { body: '{' })).status).toBe(400)
  expect((await control('DELETE', 'faults/%')).status).toBe(404)
  const unsendable = { kind: 'status', status: 500, headers: { 'a b': 'c' } }
  expect((await control('POST', 'faults', { action: unsendable })).status).toBe(400)
  expect((await call(`${simulator.url}/control/%`, { method: 'GET' })).status).toBe(404)
})
