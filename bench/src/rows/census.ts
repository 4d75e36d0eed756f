import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { assess } from '@relay/api/accept/assess.js'
import { WorkspaceNames } from '@relay/api/census/workspace-names.js'
import { systemClock } from '@relay/shared/clock.js'
import type { NameRecord } from '@relay/shared/census/name-record.js'
import { NameStore } from '@relay/shared/census/name-store.js'
import { Stage } from '../contenders/start.js'
import { elementTexts, postBodies } from '../load/load.js'
import { usedMemory } from '../measure.js'
import { at, atMost, columns, of, target, type BenchOptions, type Row, type Sample } from './row.js'

const PER_POST = 200
const COST = 'µs/element'
const MEMORY = 'process, MB'
const REDIS = 'Redis, MB'
const SHOP = "a shop's names"
const HOSTILE = 'a new name in every element'
const MB = 1_000_000

const LIMITS = {
  ...{ usersPerWindow: 5_000, eventsPerWindow: 20_000, devicesPerWindow: null },
  maxBodyBytes: 128_000,
}
const POSTED = { producer: 'shop', nowMs: systemClock.nowMs(), projectCode: null }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heldBytes(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Judges bodies, with a census or without; returns processor time, µs. */
function judge(bodies: readonly Buffer[], names: WorkspaceNames | null): number {
  const started = process.cpuUsage()
  for (const body of bodies) {
    const judged = assess(body, {
      ...{ endpoint: 'transition', workspaceLimits: LIMITS, nowMs: POSTED.nowMs },
      limits: { maxElements: 50_000, maxFindings: 100 },
      known: names?.table,
    })
    if (!judged.ok) throw new Error('the body was refused')
    for (const { sighting } of judged.assessment.seen) names?.see(sighting, POSTED)
  }
  const { user, system } = process.cpuUsage(started)
  return user + system
}

/** What the names take in Redis, bytes. */
async function inRedis(records: readonly NameRecord[]): Promise<number> {
  return Stage.run(async (stage) => {
    const { client, probe } = await stage.connected()
    const before = await usedMemory(probe)
    await new NameStore(client, 'bench', 'APP').merge(records, 0)
    return Math.max(0, (await usedMemory(probe)) - before)
  })
}

async function shop({ quick }: BenchOptions): Promise<Sample> {
  const bodies = postBodies(elementTexts(20_000), PER_POST)
  const rounds = quick ? 1 : 50
  const before = heldBytes()
  const names = new WorkspaceNames()
  judge(bodies, names)
  judge(bodies, null)
  let costUs = 0
  // In turns, so that a busy moment hits both.
  for (let i = 0; i < rounds; i += 1) costUs += judge(bodies, names) - judge(bodies, null)
  const held = Math.max(0, heldBytes() - before)
  const redis = await inRedis(names.takeChanged())
  const values = {
    [COST]: costUs / (rounds * bodies.length * PER_POST),
    [MEMORY]: held / MB,
    [REDIS]: redis / MB,
  }
  return { contender: SHOP, values }
}

/** Ten million elements, each with names that were never sent before. */
async function hostile({ quick }: BenchOptions): Promise<Sample> {
  const elements = quick ? 10_000 : 10_000_000
  const before = heldBytes()
  const names = new WorkspaceNames()
  const started = process.cpuUsage()
  for (let i = 0; i < elements; i += 1) {
    const attribute = `attribute-${i}-`.padEnd(100, 'x')
    const event = { name: `event-${i % 5_000}-name`, position: 0 }
    names.see({ event, attribute: null, type: null }, POSTED)
    names.see({ event, attribute, type: 'text' }, POSTED)
    names.see({ event: null, attribute, type: 'text' }, POSTED)
  }
  const { user, system } = process.cpuUsage(started)
  const held = heldBytes() - before
  const redis = await inRedis(names.takeChanged())
  const values = { [COST]: (user + system) / elements, [MEMORY]: held / MB, [REDIS]: redis / MB }
  return { contender: HOSTILE, values }
}

export const CENSUS: Row = {
  name: 'census',
  title: 'The census of names: what it costs, and what it holds of one workspace',
  columns: columns({ [COST]: 3, [MEMORY]: 3, [REDIS]: 3 }),
  targets: [
    target('time per element of a shop', '≤ 0.2 µs', 3, at(SHOP, COST), atMost(0.2)),
    target(
      'MB of a workspace, process and Redis, after 10 million elements of new names',
      '≤ 8',
      3,
      (m) => of(m, HOSTILE, MEMORY) + of(m, HOSTILE, REDIS),
      atMost(8),
    ),
  ],
  measure: async (options) => [await shop(options), await hostile(options)],
}
