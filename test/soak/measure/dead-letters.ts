/**
 * How long the operator API takes for a page of 100 dead letters where 100,000 are kept: all of
 * them page by page, of one reason, of one customer. Prints median and most of each.
 *
 *   node tools/bin/run.mjs test/soak/measure/dead-letters.ts
 */
import { systemClock } from '@relay/shared/clock.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { createRequestId, producerTag } from '@relay/shared/request-id.js'
import { systemRandom } from '@relay/shared/random.js'
import { customerKey } from '@relay/shared/identity.js'
import { APP_ID, Relay } from '../../support/relay.js'
import { numberedUser } from '../../support/shop.js'

const LETTERS = 100_000
const CUSTOMERS = 5_000
const PAGES = 200
const AT_ONCE = 5_000

function letter(n: number): DeadLetter {
  const customer = `customer-${n % CUSTOMERS}`
  const nowMs = systemClock.nowMs()
  return {
    id: `${APP_ID}.realtime.0.0.${n}.0`,
    appId: APP_ID,
    lane: 'realtime',
    kind: 'user',
    customer: Buffer.from(customerKey(`c:${customer}`), 'latin1').toString('hex'),
    element: JSON.stringify(numberedUser(customer, n)),
    cost: 1,
    posted: 1,
    reason: n % 3 === 0 ? 'expired' : 'element_refused',
    answer: { status: 400, type: 'AttributeError', message: 'no', attribute: 'plan' },
    attempts: 1,
    requestId: createRequestId(nowMs, 1, producerTag('shop'), systemRandom),
    acceptedAtMs: nowMs,
    deadAtMs: nowMs,
  }
}

async function fill(relay: Relay): Promise<void> {
  const target = { mode: 'single', url: relay.redis.url } as const
  const client = connectRedis(target, { commandTimeoutMs: 10_000 })
  await new Promise((resolve) => client.once('ready', resolve))
  const store = new DeadLetterStore(client, relay.env.RELAY_PREFIX ?? '')
  for (let from = 0; from < LETTERS; from += AT_ONCE) {
    await store.add(Array.from({ length: AT_ONCE }, (_, i) => letter(from + i)))
  }
  client.disconnect()
}

interface Page {
  readonly dead_letters: readonly unknown[]
  readonly next_cursor: string | null
}

async function pages(relay: Relay, query: string): Promise<void> {
  const took: number[] = []
  let cursor: string | null = ''
  let letters = 0
  while (cursor !== null && took.length < PAGES) {
    const path = `dead-letters?app_id=${APP_ID}&limit=100${query}${cursor}`
    const beganMs = performance.now()
    const { body } = await relay.operate('GET', path)
    took.push(performance.now() - beganMs)
    const page = JSON.parse(body) as Page
    letters += page.dead_letters.length
    cursor = page.next_cursor === null ? null : `&cursor=${encodeURIComponent(page.next_cursor)}`
  }
  took.sort((a, b) => a - b)
  const ms = (at: number) => `${(took[at] ?? NaN).toFixed(1)} ms`
  process.stdout.write(
    `${query || 'all'}: ${took.length} pages, ${letters} letters, median ${ms(took.length >> 1)}, most ${ms(took.length - 1)}\n`,
  )
}

const relay = await Relay.start({ workers: 0 })
try {
  await fill(relay)
  await pages(relay, '')
  await pages(relay, '&reason=expired')
  await pages(relay, '&customer_id=customer-17')
} finally {
  await relay.stop()
}
