import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { deploymentKeys, partitionKeys, partitionTag } from '@relay/shared/queue/keys.js'
import { SHOWN_MOST } from '../../src/queues/board.js'
import { Operations, redisForTests } from '../admin/operations.js'
import { waitingPost } from '../support/waiting-post.js'

let redis: TestRedis
let client: RedisClient
let o: Operations

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
})
beforeEach(async () => {
  o = await new Operations(client, redis.freshPrefix()).start()
})
afterEach(async () => {
  await o.stop()
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

const CUSTOMER = 'nobody-may-see-this-customer'

async function signedIn(): Promise<Record<string, string>> {
  const { headers } = await o.ask('POST', '/admin/session')
  return { cookie: (headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

async function get(path: string, headers: Record<string, string>) {
  const response = await fetch(`${o.url}/console/queues${path}`, { headers, redirect: 'manual' })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

interface Shown {
  readonly queues: readonly {
    readonly name: string
    readonly counts: Readonly<Record<string, number>>
    readonly readOnlyMode: boolean
    readonly jobs: readonly { readonly id: string; readonly data: Record<string, number> }[]
  }[]
}

async function queues(headers: Record<string, string>, query = '') {
  const { text } = await get(`/api/queues${query}`, headers)
  return (JSON.parse(text) as Shown).queues
}

describe('who may see it', () => {
  it('a session begins with the token alone, in a cookie for this view only', async () => {
    const anonymous = await o.ask('POST', '/admin/session', undefined, { authorization: '' })
    expect([anonymous.status, anonymous.headers.get('set-cookie')]).toEqual([401, null])
    const plain = (await o.ask('POST', '/admin/session')).headers.get('set-cookie') ?? ''
    expect(plain).toMatch(
      /^relay_queues=\d+\.[\w-]{43}; Path=\/console\/queues; Max-Age=3600; HttpOnly; SameSite=Strict$/,
    )
    const overTls = { 'x-forwarded-proto': 'https' }
    const secure = await o.ask('POST', '/admin/session', undefined, overTls)
    expect(secure.headers.get('set-cookie')).toMatch(/; Secure$/)
  })

  it.each([
    ['none', ''],
    ['an invented one', `relay_queues=${String(Date.now() + 1e6)}.${'a'.repeat(43)}`],
    ['a short one', 'relay_queues=1.a'],
    ['one without a signature', `relay_queues=${String(Date.now() + 1e6)}`],
    ['the token itself', 'relay_queues=operator-token'],
  ])('with the cookie %s nothing is told', async (_name, cookie) => {
    for (const path of ['/api/queues', '/static/favicon.ico', '/api/queues/x/1']) {
      expect((await get(path, { cookie })).status).toBe(401)
    }
    const page = await get('/', { cookie, accept: 'text/html' })
    expect([page.status, page.headers.get('location')]).toEqual([303, '/#/queues'])
  })

  it('a cookie whose end was moved is none', async () => {
    const { cookie = '' } = await signedIn()
    const [, until = '', signature = ''] = /=(\d+)\.(.*)/.exec(cookie) ?? []
    expect((await get('/api/queues', { cookie })).status).toBe(200)
    const later = `relay_queues=${String(Number(until) + 1)}.${signature}`
    expect((await get('/api/queues', { cookie: later })).status).toBe(401)
  })

  it('without an admin token there is no session', async () => {
    const closed = await new Operations(client, redis.freshPrefix(), null).start()
    const response = await fetch(`${closed.url}/console/queues/api/queues`)
    const session = await fetch(`${closed.url}/admin/session`, { method: 'POST' })
    await closed.stop()
    expect([response.status, session.status]).toEqual([401, 403])
  })
})

describe('what is shown', () => {
  it('queues that are not empty, how much waits in them and since when, and nothing of whom', async () => {
    await o.store.store(waitingPost('APP', [CUSTOMER, 'another', CUSTOMER]))
    const session = await signedIn()
    const found = await queues(session)
    expect(found.length).toBeGreaterThan(0)
    expect(found.every(({ name }) => name.startsWith('APP/realtime/0/'))).toBe(true)
    expect(found.every(({ readOnlyMode }) => readOnlyMode)).toBe(true)
    const texts: string[] = []
    let events = 0
    for (const { name, counts } of found) {
      expect(counts.waiting).toBe(1)
      const path = `?activeQueue=${encodeURIComponent(name)}&status=waiting&page=1&jobsPerPage=10`
      const [shown] = (await queues(session, path)).filter((queue) => queue.name === name)
      const job = shown!.jobs[0]!
      events += job.data.events ?? 0
      const one = `/api/queues/${encodeURIComponent(name)}/${job.id}`
      for (const more of ['', '/logs', '/flow']) texts.push((await get(one + more, session)).text)
      for (const more of ['metrics', 'workers', 'rate-limit', 'default-job-options']) {
        texts.push((await get(`/api/queues/${encodeURIComponent(name)}/${more}`, session)).text)
      }
      texts.push((await get(`/api/queues${path}`, session)).text)
    }
    for (const path of ['/', '/api/redis/stats', '/api/job-schedulers']) {
      texts.push((await get(path, session)).text)
    }
    expect(events).toBe(3)
    // Neither the customer nor what is told of it: the field with the elements is never read.
    for (const text of texts) expect(text).not.toMatch(/nobody-may-see|another|Viewed/)
  })

  it('the fullest of very many queues, and no more', async () => {
    const { active } = deploymentKeys(o.prefix)
    const tags = Array.from({ length: SHOWN_MOST + 20 }, (_, index) =>
      partitionTag({ appId: 'APP', lane: 'backfill', generation: 0, index }),
    )
    for (const [i, tag] of tags.entries()) {
      await client.zadd(active, Date.now(), tag)
      const ids = Array.from({ length: i }, (_, n) => String(n))
      if (i > 0) await client.rpush(partitionKeys(o.prefix, tag).wait, ...ids)
    }
    const found = await queues(await signedIn())
    expect(found).toHaveLength(SHOWN_MOST)
    expect(found.map(({ name }) => name).sort()).toEqual(tags.slice(-SHOWN_MOST).sort())
  })
})

it('nothing can be changed: no method but GET is answered, and no key differs after trying', async () => {
  await o.store.store(waitingPost('APP', ['one', 'two']))
  const session = await signedIn()
  const [first] = await queues(session)
  const name = encodeURIComponent(first!.name)
  const keys = async () => {
    const all = (await client.keys(`${o.prefix}:*`)).sort()
    return Promise.all(all.map(async (key) => [key, (await client.dump(key)) as unknown]))
  }
  const before = await keys()
  const paths = [
    ...['pause', 'resume', 'empty', 'obliterate', 'promote', 'add', 'concurrency', 'rate-limit'],
    ...['retry/waiting', 'clean/waiting', '1/clean', '1/retry', '1/promote', '1/update-data'],
  ].map((action) => `/api/queues/${name}/${action}`)
  for (const path of [...paths, '/api/queues/pause', '/api/queues/resume', '/']) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${o.url}/console/queues${path}`, {
        method,
        headers: { ...session, 'content-type': 'application/json' },
        body: '{"force":true}',
      })
      expect([path, method, response.status]).toEqual([path, method, 405])
    }
  }
  expect(await keys()).toEqual(before)
})
