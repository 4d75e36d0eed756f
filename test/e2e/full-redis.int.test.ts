import { ownRedisIsPossible } from '../support/redis/test-redis.js'
import { askRedis, askRedisText } from '@relay/tools/process/redis-server.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Relay } from '../support/relay.js'
import { marksIn, numberedEvent, numberedUser } from '../support/shop.js'

const CUSTOMERS = 40
const PER_CUSTOMER = 20
const describeOwn = ownRedisIsPossible ? describe : describe.skip

describeOwn('a Redis at its memory limit', () => {
  let relay: Relay

  beforeAll(async () => {
    relay = await Relay.start({ workers: 0 })
  })

  afterAll(async () => {
    await relay.stop()
  })

  const intakeProblem = async () => {
    const { body } = await relay.operate('GET', 'workspaces')
    return (JSON.parse(body) as { intake_problem: Readonly<Record<string, string>> | null })
      .intake_problem
  }
  const deadLetters = async () => (await relay.deadLetters()).length

  test('refuses posts, continues to drain past faults and poison, and takes posts again', async () => {
    const { simulator, redis } = relay
    const users = Array.from({ length: CUSTOMERS * PER_CUSTOMER }, (_, i) => {
      return numberedUser(`c-${i % CUSTOMERS}`, i)
    })
    const poison = { ...numberedUser('poisoned', 1), attributes: { poison: true } }
    for (let from = 0; from < users.length; from += 100) {
      const post = await relay.postElements(users.slice(from, from + 100))
      expect(post.status).toBe(200)
    }
    expect((await relay.postElements([poison])).status).toBe(200)
    const used = /used_memory:(\d+)/.exec(
      (await askRedisText(redis.port, 'INFO memory')) ?? '',
    )?.[1]
    expect(await askRedis(redis.port, `CONFIG SET maxmemory ${Number(used) / 2}`)).toBe('+OK')

    // The gate has to close and open, and a dead letter has to be kept, all without room.
    simulator.addFault({ count: 1, action: { kind: 'answer', row: 'server_error' } })
    simulator.addFault({
      when: { path: 'attributes.poison', equals: true },
      action: { kind: 'refuse', type: 'AttributeError', message: 'value is not accepted' },
    })
    const refused = await relay.postElements([numberedEvent('late', 0)])
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    await waitFor(async () => (await intakeProblem()) !== null, { what: 'the state to name it' })
    const { reason, meaning, next } = (await intakeProblem()) ?? {}
    expect([reason, next]).toEqual(['redis_full', expect.stringContaining('raise maxmemory')])
    const ready = await fetch(`${relay.opsUrl}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({
        checks: expect.objectContaining({ intake_problem: meaning, intake_next: next }),
      }),
    ])
    const logged = relay.api.logs().find(({ message }) => message === 'request not accepted')
    expect(logged).toMatchObject({ status: 503, cause: 'redis_full' })
    await relay.addWorker()
    await simulator.until((record) => marksIn(record).size >= users.length, 60_000)
    await waitFor(async () => (await deadLetters()) === 1, { what: 'the dead letter' })

    await askRedis(redis.port, 'CONFIG SET maxmemory 0')
    const isTaken = async () => {
      return (await relay.postElements([numberedEvent('late', 1)])).status === 200
    }
    await waitFor(isTaken, { what: 'posts to be taken again' })
    expect(await intakeProblem()).toBeNull()
    await simulator.until((record) => record.totals.events >= 1)
  })
})
