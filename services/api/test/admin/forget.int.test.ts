import { coversChunk } from '@relay/shared/erasure/erasure.js'
import { deploymentKeys, partitionKeys } from '@relay/shared/queue/keys.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import type { TestRedis } from '@relay/test/support/redis/test-redis.js'
import { customerKey } from '@relay/shared/identity.js'
import { boundaryOf, type ErasureView } from '../../src/admin/eraser.js'
import { identityOfCustomerId } from '../../src/accept/identity.js'
import { customerOf, LEASE_MS, letter, Operations, redisForTests } from './operations.js'

let redis: TestRedis
let client: RedisClient
let n = 0
const opened: Operations[] = []

beforeAll(async () => {
  ;({ redis, client } = await redisForTests())
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((o) => o.stop()))
})
afterAll(async () => {
  client.disconnect()
  await redis.stop()
})

/** A relay with one worker alive, in which the apis have been up for longer than a lease. */
async function open() {
  n += 1
  const o = await new Operations(client, `forget${n}`).start()
  opened.push(o)
  // The erasers' view of Redis is established.
  await new Promise((resolve) => setTimeout(resolve, 50))
  o.clock.aheadMs = LEASE_MS
  const deployment = new Deployment(client, o.prefix)
  const call = { id: 'w.1@r', leaseMs: LEASE_MS, step: 'join', replaces: '', run: 'r' } as const
  const renew = () => deployment.session(call)
  await renew()
  return { o, renew }
}

async function post(o: Operations, customer: string, count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    const json = Buffer.from(`{"type":"event","customer_id":"${customer}","n":${i}}`)
    const key = customerKey(identityOfCustomerId(customer))
    const outcome = await o.store.store({
      ...{ appId: 'APP', lane: 'realtime', requestId: '01JDBX3K5NPQRS000000000000' },
      acceptedAtMs: Date.now(),
      elements: [{ kind: 'event', cost: 1, posted: 1, json, customer: key }],
    })
    expect(outcome.outcome).toBe('stored')
  }
}

async function forget(o: Operations, customer: string) {
  const body = { app_id: 'APP', customer_id: customer }
  const answer = await o.ask('POST', '/admin/forget', body)
  return { status: answer.status, body: answer.body as ErasureView }
}

/** Waits until a request to forget keeps waves from opening. */
async function barred(o: Operations): Promise<void> {
  const bars = deploymentKeys(o.prefix).bars
  await waitFor(async () => (await client.zcard(bars)) > 0, { what: 'the bar' })
}

async function waiting(o: Operations, customer: string): Promise<number> {
  const texts = (await o.queued()).map(({ json }) => json.toString())
  return texts.filter((text) => text.includes(`"${customer}"`)).length
}

describe('forget', () => {
  it.each([{}, { email: '' }, { email: ' ', u_mb: '' }])(
    'is refused when it has no identifier: %j',
    async (identifiers) => {
      const { o } = await open()
      const body = { app_id: 'APP', user_identifiers: identifiers }
      const answer = await o.ask('POST', '/admin/forget', body)
      expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/not blank/)])
    },
  )

  it('is done only when every worker has confirmed', async () => {
    const { o } = await open()
    await post(o, 'bob', 3)
    await post(o, 'ann')
    const { status, body } = await forget(o, 'bob')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'pending',
      queued: 3,
      dead_letters: 0,
      workers_pending: 1,
    })
    expect([await waiting(o, 'bob'), await waiting(o, 'ann')]).toEqual([0, 1])
    await o.eraser.look()
    expect((await o.ask('GET', `/admin/forget/${body.id}`)).body.status).toBe('pending')
    await o.erasures.confirm([body.id], 'w')
    await o.eraser.look()
    const { body: done } = await o.ask('GET', `/admin/forget/${body.id}`)
    expect(done).toEqual({
      ...{ id: body.id, status: 'done', queued: 3, dead_letters: 0, workers_pending: 0 },
    })
  })

  it('erases in a workspace that is not configured any more while it has data', async () => {
    const { o } = await open()
    await post(o, 'bob', 2)
    o.configured = o.configured.filter(({ appId }) => appId !== 'APP')
    const body = { app_id: 'APP', customer_id: 'bob' }
    const answer = await o.ask('POST', '/admin/forget', body)
    expect([answer.status, answer.body.queued, await waiting(o, 'bob')]).toEqual([200, 2, 0])
    const never = await o.ask('POST', '/admin/forget', { ...body, app_id: 'NEVER' })
    expect([never.status, never.text]).toEqual([404, expect.stringContaining('no such workspace')])
  })

  it('is done when the lease of a worker that does not answer has ended, and not before', async () => {
    const { o } = await open()
    const { body } = await forget(o, 'bob')
    await client.del(`${o.prefix}:{deployment}:sessions`)
    o.clock.aheadMs += LEASE_MS - 2_500
    await o.eraser.look()
    expect((await o.eraser.view(body.id))?.status).toBe('pending')
    o.clock.aheadMs += 2_500
    await o.eraser.look()
    expect((await o.eraser.view(body.id))?.status).toBe('done')
  })

  it('is answered done at once where no worker can have read anything', async () => {
    const { o } = await open()
    await client.del(`${o.prefix}:{deployment}:sessions`)
    expect((await forget(o, 'bob')).body.status).toBe('done')
  })

  it('is finished by another api, once it knows enough of the workers', async () => {
    const { o, renew } = await open()
    await post(o, 'bob')
    const { body } = await forget(o, 'bob')
    const other = o.newEraser()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await o.erasures.confirm([body.id], 'w')
    await other.look()
    // It was just started: Redis may have forgotten workers that are alive.
    expect((await other.view(body.id))?.workers_pending).toBeNull()
    o.clock.aheadMs += LEASE_MS
    await renew()
    await other.look()
    expect((await other.view(body.id))?.status).toBe('done')
  })

  it('erases what is dead-lettered between the request and the last confirmation', async () => {
    const { o } = await open()
    await post(o, 'bob')
    const { body } = await forget(o, 'bob')
    const [tag] = Object.keys((await o.erasures.enforced())[0]?.boundary ?? {})
    const partition = tag?.split('/').at(-1) ?? ''
    const own = (chunk: number) => ({ id: `APP.realtime.0.${partition}.${chunk}.0` })
    const boundary = Math.max(...Object.values((await o.erasures.enforced())[0]?.boundary ?? {}))
    await o.letters.add([letter(1, 'bob', own(boundary)), letter(2, 'bob', own(boundary + 1))])
    await o.erasures.confirm([body.id], 'w')
    await o.eraser.look()
    expect(await o.eraser.view(body.id)).toMatchObject({ status: 'done', dead_letters: 1 })
    // What the customer sent after the request is new data.
    const { body: left } = await o.ask('GET', '/admin/dead-letters?customer_id=bob')
    expect(left.dead_letters).toHaveLength(1)
  })

  it('leaves what is posted after it', async () => {
    const { o } = await open()
    await post(o, 'bob', 2)
    const { body } = await forget(o, 'bob')
    await post(o, 'bob', 3)
    await o.erasures.confirm([body.id], 'w')
    await o.eraser.look()
    expect((await o.eraser.view(body.id))?.status).toBe('done')
    expect(await waiting(o, 'bob')).toBe(3)
  })

  it('leaves what is posted after Redis lost the request and its last writes', async () => {
    const { o } = await open()
    await post(o, 'bob', 2)
    await forget(o, 'bob')
    // Workers remember the erasure for a while.
    const remembered = (await o.erasures.enforced())[0]!
    await client.flushdb()
    await post(o, 'bob')
    const [tag = ''] = Object.keys(remembered.boundary)
    const ids = await new PartitionQueue(client, o.prefix, tag).ids()
    expect(ids).toHaveLength(1)
    expect(ids.filter((id) => coversChunk(remembered, tag, id))).toEqual([])
  })

  it('covers what was stored before Redis stepped its clock back', async () => {
    const { o } = await open()
    await post(o, 'bob')
    const whom = { appId: 'APP', customer: customerKey(identityOfCustomerId('bob')) }
    const before = await boundaryOf(client, o.prefix, whom)
    const tag = Object.keys(before.boundary).find((one) => (before.boundary[one] ?? 0) > 0) ?? ''
    const future = `1-${(before.untilMs + 3_600_000) * 1_000}`
    await client.lset(partitionKeys(o.prefix, tag).wait, 0, future)
    expect((await boundaryOf(client, o.prefix, whom)).untilMs).toBe(before.untilMs + 3_600_000)
  })

  it('keeps a replay from putting the letters back as new data', async () => {
    const { o } = await open()
    await post(o, 'bob')
    const { body } = await forget(o, 'bob')
    const { boundary } = (await o.erasures.enforced())[0]!
    const tag = Object.keys(boundary).find((one) => (boundary[one] ?? 0) > 0) ?? ''
    await o.letters.add([letter(1, 'bob', { id: `${tag}/1/0`.replaceAll('/', '.') })])
    const replay = await o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' })
    expect(replay.body).toEqual({ count: 0 })
    expect(await waiting(o, 'bob')).toBe(0)
    await o.erasures.confirm([body.id], 'w')
    await o.eraser.look()
    expect((await o.ask('GET', '/admin/dead-letters')).body.dead_letters).toEqual([])
  })

  describe('during a wave of a replay', () => {
    /** A dead letter of an element that was posted before. */
    async function deadLetter(o: Operations, customer: string): Promise<void> {
      await post(o, customer)
      const whom = { appId: 'APP', customer: customerKey(identityOfCustomerId(customer)) }
      const ends = Object.entries((await boundaryOf(client, o.prefix, whom)).boundary)
      const [tag, last] = ends.find(([, id]) => id > 0) ?? ['', 0]
      const id = `${tag}/${last}/0`.replaceAll('/', '.')
      await o.letters.add([letter(1, customer, { id })])
    }

    const replay = (o: Operations) => o.ask('POST', '/admin/dead-letters/replay', { app_id: 'APP' })

    it('erases what the wave still puts back', async () => {
      const { o } = await open()
      await deadLetter(o, 'bob')
      const asked: Promise<{ status: number; body: ErasureView }>[] = []
      o.store.before = async () => {
        asked.push(forget(o, 'bob'))
        await barred(o)
      }
      await replay(o)
      const answers = await Promise.all(asked)
      expect(answers.map(({ body }) => body)).toMatchObject([{ queued: 2 }])
      expect(await waiting(o, 'bob')).toBe(0)
    })

    it('outlasts an api that hangs in it: what it stores later is refused', async () => {
      const { o } = await open()
      await deadLetter(o, 'bob')
      const asked: { body: ErasureView }[] = []
      o.store.before = async () => asked.push(await forget(o, 'bob'))
      expect((await replay(o)).status).toBe(503)
      expect(asked.map(({ body }) => body)).toMatchObject([{ queued: 1, dead_letters: 1 }])
      expect(await waiting(o, 'bob')).toBe(0)
    })

    it('keeps the letters out of the waves after it', async () => {
      const { o } = await open()
      await deadLetter(o, 'bob')
      await deadLetter(o, 'ann')
      const subject = { id: 'e', appId: 'APP', customer: customerOf('bob') }
      expect(await o.erasures.bar(subject)).toEqual([])
      expect((await replay(o)).body).toEqual({ count: 1 })
      await o.erasures.liftBar(subject)
      expect((await replay(o)).body).toEqual({ count: 1 })
    })
  })

  it('is not done after Redis forgot all of it: its id is unknown, and it is asked for again', async () => {
    const { o } = await open()
    const { body } = await forget(o, 'bob')
    await client.del(`${o.prefix}:{deployment}:erasures`)
    await client.del(`${o.prefix}:{deployment}:erasure:${body.id}`)
    await o.eraser.look()
    expect((await o.ask('GET', `/admin/forget/${body.id}`)).status).toBe(404)
  })
})
