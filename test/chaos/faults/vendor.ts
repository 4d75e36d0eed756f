import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import { between } from '@relay/shared/seeded-random.js'
import { APP_ID } from '../stack/settings.js'
import { fault, lasting, type Fault, type Scene } from './fault.js'

interface Scripted {
  readonly probability?: number
  readonly mostMs?: number
  readonly onlyDefault?: true
}

/**
 * A fault that the simulator plays. It names itself on every request that it touches, so the
 * oracle sees from there whether it explains a duplicate.
 */
function scripted(
  name: string,
  action: (random: Random) => object,
  { probability = 1, mostMs = 3_000, ...more }: Scripted = {},
): Fault {
  const id = `vendor-${name}`
  return fault(id, { group: 'vendor', ...more }, async ({ stack, random }) => {
    await stack.vendor.addFault({ id, probability, action: action(random) })
    await lasting(random, 300, mostMs)
    await stack.vendor.removeFault(id)
  })
}

/** The id of the standing rules that refuse poison; no other fault touches them. */
const POISON_RULES = ['attributes.poison', 'actions.attributes.poison']

/** MoEngage never takes poison. In force from start to end of a run. */
export async function refusePoison({ stack }: Pick<Scene, 'stack'>): Promise<void> {
  for (const path of POISON_RULES) {
    await stack.vendor.addFault({
      id: `poison-${path}`,
      when: { path },
      action: { kind: 'refuse' },
    })
  }
}

const afterSeconds = (random: Random) => String(between(random, 1, 3))

export const VENDOR_FAULTS: readonly Fault[] = [
  scripted('5xx', (r) => ({ kind: 'status', status: between(r, 500, 504) })),
  scripted('5xx-some', () => ({ kind: 'status', status: 500 }), { probability: 0.3 }),
  scripted('5xx-processed', () => ({ kind: 'status', status: 502, processed: true }), {
    probability: 0.5,
  }),
  scripted('hang', () => ({ kind: 'hang', maxMs: 20_000 }), { probability: 0.5 }),
  scripted('hang-processed', () => ({ kind: 'hang', maxMs: 20_000, processed: true }), {
    probability: 0.5,
  }),
  scripted('reset-start', () => ({ kind: 'reset', at: 'start' }), { probability: 0.5 }),
  scripted('reset-before', () => ({ kind: 'reset', at: 'arrival' }), { probability: 0.5 }),
  scripted('reset-after', () => ({ kind: 'reset', at: 'answer' }), { probability: 0.5 }),
  scripted('429', () => ({ kind: 'rate_limit' }), { probability: 0.5, mostMs: 1_500 }),
  scripted('429-retry-after', (r) => ({
    kind: 'rate_limit',
    retryAfterSeconds: between(r, 0, 3),
  })),
  scripted('503-retry-after', (r) => ({
    kind: 'status',
    status: 503,
    headers: { 'retry-after': afterSeconds(r) },
  })),
  scripted('garbage', () => ({ kind: 'garbage' }), { probability: 0.5 }),
  scripted('drip', (r) => ({ kind: 'drip', bytes: 10, everyMs: between(r, 5, 100) })),
  scripted('suspended', () => ({ kind: 'answer', row: 'account_temporarily_suspended' }), {
    mostMs: 1_500,
  }),
  // Of no type that MoEngage documents, for everything: an outage, which dead-letters nothing.
  scripted(
    '400-unknown',
    () => ({ kind: 'status', status: 400, body: '{"error":{"message":"no","type":"Strange"}}' }),
    { onlyDefault: true },
  ),
  // Some of it after relay has given up: MoEngage processes it all the same, within the grace.
  fault('vendor-slow', { group: 'vendor', onlyDefault: true }, async ({ stack, random }) => {
    const { requestTimeoutMs, arrivalGraceMs } = stack.conditions.timers
    const mostMs = requestTimeoutMs + arrivalGraceMs * 0.8
    const beforeMs = Math.floor(between(random, requestTimeoutMs / 4, mostMs))
    await stack.vendor.delay(beforeMs, { probability: 0.5 })
    await lasting(random, 300, 3_000)
    await stack.vendor.removeFault('vendor-slow')
  }),
  scripted('ceiling', (r) => ({ kind: 'body_ceiling', bytes: between(r, 6_000, 15_000) })),
  fault('vendor-new-key', { group: 'vendor' }, async ({ stack, random }) => {
    const key = `key-${between(random, 2, 1_000_000)}`
    await stack.vendor.configure({ workspaces: { [APP_ID]: key } })
    await lasting(random, 200, 1500)
    stack.apiKey = key
    await stack.writeWorkspaces()
    await sleep(1_000)
  }),
  fault('vendor-poison', { group: 'vendor' }, async ({ random, mood }) => {
    mood.poisonShare = 0.02 + random.next() * 0.06
    await lasting(random, 1000, 3000)
    mood.poisonShare = 0
  }),
]
