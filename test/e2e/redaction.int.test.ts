import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { askRedis } from '@relay/tools/process/redis-server.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, entryOf, Relay, send } from '../support/relay.js'

/** Each with a part that survives every way of quoting: JSON, HTML, URLs, printable strings. */
const MARK = 'zQ7x'
const PRODUCER = `${MARK}Producer"<'&>%41é\\`
const ADMIN = `${MARK}Admin-token~`
const API_KEY = `${MARK}ApiKey'"<b>&\\é`
const REDIS = `${MARK}RedisPassword`
const FILE_KEY = `${MARK}FileKey`
const CLI = fileURLToPath(new URL('../../cli/bin/relay.mjs', import.meta.url))

const base64 = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '')
/** What must not stand anywhere, in clear or as credentials travel. */
const FORBIDDEN = [
  MARK,
  base64(`${APP_ID}:${PRODUCER}`).slice(0, 30),
  base64(`${APP_ID}:${API_KEY}`).slice(0, 30),
]

const folder = mkdtempSync(join(tmpdir(), 'relay-redaction-'))

let files = 0

/** Path of a fresh file with this in it. */
function broken(text: string): string {
  const path = join(folder, `broken-${++files}`)
  writeFileSync(path, text)
  return path
}

describe('with secrets of unusual characters', () => {
  /** Everything that came out of relay: lines, answers, arguments of processes. */
  const heard: string[] = []
  const others: Child[] = []
  let relay: Relay

  const bearer = { Authorization: `Bearer ${ADMIN}` }

  beforeAll(async () => {
    const file = join(folder, 'workspaces.json')
    const workspaces = [{ appId: 'FILED', apiKey: FILE_KEY, baseUrl: 'http://127.0.0.1:9' }]
    writeFileSync(file, JSON.stringify({ workspaces }))
    relay = await Relay.start({
      simulator: { workspaces: { [APP_ID]: API_KEY } },
      env: async ({ redis }) => {
        await askRedis(redis.port, `ACL SETUSER relay on >${REDIS} ~* &* +@all`)
        return {
          REDIS_URL: `redis://relay:${REDIS}@127.0.0.1:${redis.port}`,
          MOENGAGE_API_KEY: API_KEY,
          RELAY_PRODUCERS: `shop:${PRODUCER}`,
          RELAY_ADMIN_TOKEN: ADMIN,
          RELAY_WORKSPACES_FILE: file,
          RELAY_REQUEST_TIMEOUT_MS: '500',
          RELAY_ARRIVAL_GRACE_MS: '100',
          LOG_LEVEL: 'silly',
        }
      },
    })
  })
  afterAll(async () => {
    await relay.stop()
    await Promise.all(others.map((child) => child.stop()))
  })

  function post(secret: string, body: unknown, headers = {}) {
    const authorization = `Basic ${Buffer.from(`${APP_ID}:${secret}`).toString('base64')}`
    return relay.post(`/v1/transition/${APP_ID}`, body, {
      Authorization: authorization,
      ...headers,
    })
  }

  async function hear(answer: Promise<{ headers: unknown; body: string }>): Promise<string> {
    const { headers, body } = await answer
    heard.push(JSON.stringify(headers), body)
    return body
  }

  const element = (id: string) => ({
    type: 'transition',
    elements: [{ type: 'customer', customer_id: id, attributes: { a: 1 } }],
  })

  test('every refusal of the intake', async () => {
    for (const secret of [PRODUCER.slice(0, -1), `${PRODUCER} `, ADMIN, API_KEY]) {
      await hear(post(secret, element('ann')))
    }
    await hear(post(PRODUCER, 'no JSON'))
    await hear(post(PRODUCER, element('ann'), { 'Content-Encoding': 'gzip' }))
    await hear(post(PRODUCER, element('ann'), { 'MOE-APPKEY': 'OTHER' }))
    await hear(post(PRODUCER, { type: 'transition', elements: [{ type: 'x' }] }))
    await hear(relay.post(`/v1/customer/${APP_ID}/merge`, ''))
    expect(JSON.parse(await hear(post(PRODUCER, element('ann'))))).toMatchObject({
      status: 'success',
    })
  })

  test('every kind of trouble at MoEngage, credentials quoted back among it', async () => {
    const quoted = `Basic ${Buffer.from(`${APP_ID}:${API_KEY}`).toString('base64')} ${API_KEY}`
    const error = { message: quoted, type: 'AttributeError', attribute: quoted }
    const body = JSON.stringify({ status: 'fail', error })
    const { simulator } = relay
    for (const action of [
      { kind: 'status', status: 400, body },
      { kind: 'status', status: 502, body: `<pre>${quoted}</pre>` },
      { kind: 'status', status: 307, headers: { Location: `http://x:${MARK}@127.0.0.1:9/` } },
      { kind: 'garbage', body: quoted },
      { kind: 'reset' },
      { kind: 'hang', maxMs: 700 },
    ] as const) {
      const seen = attempts().length
      simulator.addFault({ count: 1, action })
      await hear(post(PRODUCER, element(`c-${action.kind}`)))
      await waitFor(() => attempts().length > seen, { what: action.kind, timeoutMs: 20_000 })
    }
  }, 60_000)

  const attempts = () =>
    relay.workers.flatMap((worker) => worker.logs()).filter(({ message }) => message === 'attempt')

  test('everything that the ops ports and the documentation answer', async () => {
    const paths = [
      ...['/', '/console/main.js', '/metrics', '/healthz', '/readyz', '/nothing'],
      ...['/admin/workspaces', '/admin/dead-letters', '/admin/history', '/admin/requests/x'],
      ...['/admin/dead-letters/x', '/admin/dead-letters?since=x'],
    ]
    for (const path of paths) {
      for (const headers of [bearer, { Authorization: `Bearer ${ADMIN}x` }, {}]) {
        await hear(send(`${relay.opsUrl}${path}`, 'GET', '', headers))
      }
    }
    for (const path of ['/docs', '/openapi.json', '/docs/errors.md']) {
      await hear(send(`${relay.apiUrl}${path}`, 'GET', '', {}))
    }
    const [, port] = /"opsPort":(\d+)/.exec(relay.workers[0]?.lastLines().join('\n') ?? '') ?? []
    await hear(send(`http://127.0.0.1:${port ?? ''}/metrics`, 'GET', '', {}))
    await hear(send(`${relay.opsUrl}/admin/dead-letters`, 'DELETE', '{', bearer))
  })

  test('Redis away, and Redis with another password', async () => {
    relay.redis.pause()
    await hear(post(PRODUCER, element('away')))
    relay.redis.resume()
    const api = await startChild({
      name: 'api',
      entry: entryOf('api'),
      env: {
        ...relay.env,
        ...{ REDIS_URL: relay.env.REDIS_URL?.replace(REDIS, `${MARK}Wrong`), PORT: '0' },
        OPS_PORT: '0',
      },
    })
    others.push(api)
    const line = await api.waitForLine(/"opsPort":(\d+)/)
    const [, port = ''] = /"opsPort":(\d+)/.exec(line) ?? []
    await hear(send(`http://127.0.0.1:${port}/readyz`, 'GET', '', {}))
  })

  test('every fault of the configuration', async () => {
    const wrong = [
      ['RELAY_PRODUCERS', `shop:ok,${MARK}`],
      ['RELAY_PRODUCERS', `shop:sha256$${MARK}`],
      ['RELAY_ADMIN_TOKEN', `sha256$${MARK}`],
      ['REDIS_URL', `rediz://:${MARK}@x`],
      ['REDIS_URL', `redis+sentinel://:${MARK}@`],
      ['MOENGAGE_BASE_URL', `https://user:${MARK}@x`],
      ['RELAY_WORKSPACES_FILE', broken(`{"workspaces":[{"apiKey":"${MARK}"`)],
      ['RELAY_WORKSPACES_FILE', broken(`{"workspaces":[{"appId":"A","apiKey":["${MARK}"]}]}`)],
      ['RELAY_PRODUCERS_FILE', broken(`${MARK}\n`)],
      ['REDIS_URL_FILE', broken(`rediz://:${MARK}@x`)],
      ['REDIS_CA_FILE', broken(`-----BEGIN CERTIFICATE-----\n${MARK}`)],
    ] as const
    await Promise.all(
      wrong.map(async ([name, value]) => {
        const twin = name.replace(/_FILE$/, '')
        const env = { ...relay.env, [twin]: '', RELAY_WORKSPACES_FILE: '', [name]: value }
        const child = await startChild({ name: 'api', entry: entryOf('api'), env })
        others.push(child)
        expect((await child.exited).code).toBe(78)
        expect(child.lastLines().join('\n')).toContain('Accepted: ')
      }),
    )
    const env = { ...relay.env, RELAY_PRODUCERS: MARK, RELAY_ADMIN_TOKEN: `sha256$${MARK}` }
    const check = await startChild({ name: 'check', entry: CLI, args: ['check'], env })
    others.push(check)
    await check.exited
  })

  test('tell none of them, anywhere', async () => {
    const env = { ...relay.env, RELAY_ADMIN_URL: relay.opsUrl }
    for (const args of [['status'], ['check', '--credentials'], ['dead-letters', 'list']]) {
      const child = await startChild({ name: 'relay', entry: CLI, args, env })
      others.push(child)
      await child.exited
      expect(child.lastLines().length).toBeGreaterThan(0)
    }
    const children = [relay.api, ...relay.workers]
    heard.push(...children.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')))
    for (const child of [...children, ...others]) {
      heard.push(...child.lastLines(), ...child.logs().map((line) => JSON.stringify(line)))
    }
    const told = heard.filter((text) => FORBIDDEN.some((secret) => text.includes(secret)))
    expect(told.map((text) => text.slice(0, 400))).toEqual([])
    // The search would find them: it has something to search in.
    expect(heard.join('').length).toBeGreaterThan(50_000)
    expect(heard.join('')).toContain('attempt')
    expect(readdirSync(folder).length).toBeGreaterThan(1)
  })
})
