import { waitFor } from '@relay/tools/wait-for.js'
import { Relay, send } from '../support/relay.js'
import { numberedEvent } from '../support/shop.js'

test('with Redis away the api stays ready, says why, and answers posts 503 with Retry-After', async () => {
  const relay = await Relay.start({ workers: 0 })
  try {
    await relay.redis.kill9()
    await relay.api.waitForLine(/Redis is unavailable/)
    const readyz = () => send(`${relay.opsUrl}/readyz`, 'GET', '', {})
    await waitFor(async () => (await readyz()).body.includes('nothing listens'), {
      what: 'the reason',
    })
    const { status, body } = await readyz()
    expect([status, JSON.parse(body)]).toMatchObject([
      200,
      { checks: { redis_problem: 'nothing listens at the address of Redis' } },
    ])
    const refused = await relay.postElements([numberedEvent('kept', 1)])
    expect(refused.status).toBe(503)
    await relay.redis.restart()
    await relay.api.waitForLine(/Redis is available again/)
  } finally {
    await relay.stop()
  }
})
