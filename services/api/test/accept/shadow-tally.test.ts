import type { Element } from '@relay/shared/element.js'
import { ShadowTally } from '../../src/accept/shadow-tally.js'
import { workspace } from '../support/intake.js'

const WORKSPACES = new Map([
  ['DARK', workspace('DARK', { mode: 'shadow' })],
  ['LIVE', workspace('LIVE')],
])

const event: Element = {
  kind: 'event',
  json: Buffer.from('{}'),
  cost: 3,
  customer: '',
  posted: 1,
}

function tally() {
  const saved: [string, Record<string, number>][] = []
  const redis = { isAway: false }
  const own = new ShadowTally({
    workspaces: (appId) => WORKSPACES.get(appId),
    save: (appId, tallies) => {
      if (redis.isAway) return Promise.reject(new Error('away'))
      saved.push([appId, Object.fromEntries(tallies)])
      return Promise.resolve()
    },
  })
  return { own, saved, redis }
}

const post = (appId: string) => ({
  appId,
  lane: 'realtime' as const,
  requestId: 'r',
  acceptedAtMs: 120_000,
  elements: [event, event],
  digest: undefined,
})

it('counts what is posted to workspaces in shadow, and nothing of others', async () => {
  const { own, saved } = tally()
  for (const appId of WORKSPACES.keys()) {
    own.add(appId, 'rejected', 1)
    own.stored(post(appId))
  }
  await own.save()
  await own.save()
  expect(saved).toEqual([['DARK', { rejected: 1, 'minute:2:events': 6 }]])
})

it('with Redis away keeps what it counted', async () => {
  const { own, saved, redis } = tally()
  own.add('DARK', 'rejected', 1)
  redis.isAway = true
  await own.save()
  own.add('DARK', 'rejected', 2)
  redis.isAway = false
  await own.save()
  expect(saved).toEqual([['DARK', { rejected: 3 }]])
})
