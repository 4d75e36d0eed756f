import { waitFor } from '@relay/tools/wait-for.js'
import {
  POST_HEADERS,
  relayEnvironment,
  setPaused,
  Sink,
  Stage,
  startIntake,
} from '../contenders/start.js'
import { elementTexts, postBodies } from '../load/bodies.js'
import { Load, requestBytes } from '../load/load.js'
import { usedMemory } from '../measure/resources.js'
import { columns, type BenchOptions, type Row, type Sample } from './row.js'

const PER_POST = 10

/** Redis bytes per post of ten elements: while they wait, and once they are delivered. */
async function footprint(keyed: boolean, { quick }: BenchOptions): Promise<Sample> {
  const posts = quick ? 100 : 5_000
  return Stage.run(async (stage) => {
    const redis = await stage.redis()
    const sink = await Sink.start(stage)
    // As it is stored while there is room: compressed chunks are smaller.
    const env = {
      ...relayEnvironment(redis.url, sink.url),
      RELAY_MAX_BACKLOG_BYTES: '1000000000000',
    }
    const { target, opsUrl } = await startIntake(stage, 'relay', redis.url, env)
    await stage.service('worker', env)
    const client = stage.probe(redis.url)
    await setPaused(opsUrl, true)
    const empty = await usedMemory(client)
    const bodies = postBodies(elementTexts(posts * PER_POST), PER_POST)
    const requests = bodies.map((body, i) => {
      const key = keyed ? { 'idempotency-key': `post-${String(i)}` } : {}
      return requestBytes({ ...target, headers: { ...POST_HEADERS, ...key } }, body)
    })
    await new Load(target.port, requests, 8, requests.length).finished()
    const waiting = await usedMemory(client)
    await setPaused(opsUrl, false)
    await sink.received(posts * PER_POST)
    const isSettled = async () => (await client.keys('*/*}:[0-9]*')).length === 0
    await waitFor(isSettled, { what: 'all chunks to be settled', timeoutMs: 30_000 })
    const delivered = await usedMemory(client)
    const jsonBytes = bodies.reduce((sum, body) => sum + body.length, 0) / posts
    return {
      contender: keyed ? 'with an Idempotency-Key' : 'without a key',
      values: {
        'its JSON': jsonBytes,
        'while it waits': (waiting - empty) / posts,
        'once delivered': (delivered - empty) / posts,
      },
    }
  })
}

export const FOOTPRINT: Row = {
  name: 'footprint',
  title: `What a post of ${String(PER_POST)} elements takes in Redis, bytes`,
  columns: columns({ 'its JSON': 0, 'while it waits': 0, 'once delivered': 0 }),
  targets: [],
  measure: async (options) => [await footprint(false, options), await footprint(true, options)],
}
