import { waitFor } from '@relay/tools/wait-for.js'
import { DEFAULTS } from '../stack/settings.js'
import { digestOf, disturb, type Aimed, type Stage } from './plot.js'
import { Poster } from './poster.js'

const READY_WITHIN_MS = 30_000
/** So few that a post spends them: an event that waits for them keeps its chunk in Redis. */
const EVENTS = 200
/** A customer's first event has two actions. */
const SPENDERS = Array.from({ length: EVENTS / 2 }, (_, i) => `spender-${String(i)}`)
/** Two of these fill a request. */
const LARGE = 'x'.repeat(14_000)

/**
 * A chunk holds bob's and ann's values, too large for one request, and an event that cannot be paid
 * for. The settle of bob's value is held up on its way; the worker settles again, and then ann's.
 * What was held up comes last. The next owner must not send ann's value again: a newer one is out.
 */
async function holdFirstSettle(stage: Stage): Promise<void> {
  const { stack } = stage
  const [former, next] = [stack.worker(0), stack.worker(1)]
  const poster = new Poster(stage)
  await poster.delivered(await poster.accepted('event', SPENDERS, 0))
  await poster.delivered(await poster.accepted('user', ['warm'], 0))
  await poster.settled()
  const fault = { stallFrom: await digestOf(stage, 'settle'), once: true, late: true } as const
  former.redis.set(fault, 'up')
  const mixed = [...poster.next('user', ['bob', 'ann']), ...poster.next('event', ['eve'])]
  const posted = await poster.acceptedAll(mixed, 0, LARGE)
  await poster.delivered(posted.slice(0, 1))
  await waitFor(() => former.redis.heldBytes > 0, { what: 'the settle to be held up' })
  // Only after the settle of bob's value was repeated on another connection.
  await poster.delivered(posted.slice(1, 2))
  await poster.delivered(await poster.accepted('user', ['ann'], 0))
  await waitFor(async () => (await stage.remains.waiting()) === 1, {
    what: 'the newer value to be settled',
    timeoutMs: READY_WITHIN_MS,
  })
  if (former.redis.heldBytes === 0) throw new Error('the settle was not held long enough')
  former.redis.heal()
  await waitFor(() => former.redis.heldBytes === 0, { what: 'the settle to arrive' })
  await former.stop()
  await next.start()
  await next.ready(READY_WITHIN_MS)
}

export const settleArrivesLate: Aimed = {
  name: 'settle-arrives-late',
  about:
    'the first settle of a chunk reaches Redis after the second, sent by the same owner on another connection; then another worker takes over',
  conditions: {
    ...DEFAULTS,
    limits: { ...DEFAULTS.limits, events: EVENTS, windowMs: 30_000, bodyBytes: 20_000 },
    partitions: 1,
    workers: 1,
    env: { RELAY_COALESCE: 'off' },
  },
  play: (stage) =>
    disturb(stage, 'settle-late', { loses: 'nothing' }, () => holdFirstSettle(stage)),
}
