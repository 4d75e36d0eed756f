import { waitFor } from '@relay/tools/wait-for.js'
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'
import { between, pick } from '../random.js'
import { APP_ID } from '../stack/settings.js'
import type { Fault, Scene } from './fault.js'

const group = {
  group: 'operator',
  loses: 'nothing',
  mayLinger: false,
  onlyDefault: true,
} as const
const DONE_WITHIN_MS = 60_000

/** Has a customer erased, and asks until relay says that it is done. */
async function forget({ stack, journal }: Scene, customer: string): Promise<void> {
  const askedAtMs = nowMs()
  const body = { app_id: APP_ID, customer_id: customer }
  const isDone = async () => {
    const reply = await stack.operate('POST', 'forget', body)
    return reply.status === 200 && !reply.body.includes('"pending"')
  }
  // Erased or not: what was posted before it may be gone.
  const erasure = { customer, askedAtMs, doneAtMs: Infinity }
  journal.erasures.push(erasure)
  const erased = await waitFor(isDone, {
    what: 'the erasure',
    timeoutMs: DONE_WITHIN_MS,
    everyMs: 200,
  }).catch(() => false)
  if (erased) erasure.doneAtMs = nowMs()
}

/** What is done by hand while something fails. */
export const OPERATOR_FAULTS: readonly Fault[] = [
  {
    ...{ name: 'operator-forget', ...group },
    run: async (scene) => {
      const known = [...new Set(scene.journal.posted.map(({ customer }) => customer))]
      for (let i = 0; i < 3 && known.length > 0; i += 1) {
        await forget(scene, pick(scene.random, known))
        await sleep(between(scene.random, 100, 500))
      }
    },
  },
  {
    ...{ name: 'operator-replay', ...group },
    run: async ({ stack }) => {
      // Refused again, each of them: they end where they were.
      await stack.operate('POST', 'dead-letters/replay', { app_id: APP_ID }).catch(() => undefined)
    },
  },
]
