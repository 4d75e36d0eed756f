import type { AddedReply, NewChunk } from '@relay/shared/queue/partition-queue.js'
import { decodeChunk } from '@relay/shared/queue/chunk.js'
import { createRequestId, producerTag } from '@relay/shared/request-id.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { PartitionWriter, type Flushes, type Piece } from '../../src/enqueue/partition-writer.js'

/** A partition whose answers the test gives one by one. */
class SlowPartition {
  readonly chunks: NewChunk[] = []
  readonly #answers: { give: (reply: AddedReply) => void; fail: (error: Error) => void }[] = []

  readonly add = (chunk: NewChunk): Promise<AddedReply> => {
    this.chunks.push(chunk)
    return new Promise((give, fail) => this.#answers.push({ give, fail }))
  }

  async answer(reply: AddedReply | Error): Promise<void> {
    const next = this.#answers.shift()
    if (reply instanceof Error) next?.fail(reply)
    else next?.give(reply)
    await tick()
    await tick()
  }
}

const STORED: AddedReply = { outcome: 'stored', redisNowMs: 0 }

function pieceOf(name: string, digest?: Buffer, bytes = 10): Piece {
  const element = {
    kind: 'event' as const,
    json: Buffer.from(name.padEnd(bytes)),
    cost: 1,
    customer: 'customer',
    posted: 1 as const,
  }
  return { partition: 0, elements: [element], bytes, digest }
}

function namesIn(chunk: NewChunk | undefined): string[] {
  return chunk ? decodeChunk(chunk.payload).map(({ json }) => json.toString().trim()) : []
}

/** All pending pieces leave at the end of the turn. */
const NEXT_TURN: Flushes = {
  arrived: () => undefined,
  onFlush: (flush) => setImmediate(flush),
}

async function tick(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('group commit', () => {
  const provenance = { requestId: 'r', acceptedAtMs: 1 }
  let partition: SlowPartition
  let writer: PartitionWriter

  beforeEach(() => {
    partition = new SlowPartition()
    writer = new PartitionWriter(partition.add, () => false, NEXT_TURN)
  })

  test('those that wait leave together; those that come meanwhile share the next chunk, in order', async () => {
    const outcomes = ['a', 'b', 'c'].map((name) => writer.write(pieceOf(name), provenance))
    await tick()
    const late = ['d', 'e'].map((name) => writer.write(pieceOf(name), provenance))
    expect(partition.chunks.map(namesIn)).toEqual([['a', 'b', 'c']])
    await partition.answer(STORED)
    expect(partition.chunks.map(namesIn)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ])
    await partition.answer(STORED)
    expect(await Promise.all([...outcomes, ...late])).toEqual(new Array(5).fill('stored'))
  })

  test('one add is in progress at a time, and a chunk is not larger than need be', async () => {
    const outcomes = ['a', 'b', 'c'].map((name) =>
      writer.write(pieceOf(name, undefined, 60_000), provenance),
    )
    await tick()
    expect(partition.chunks.map(namesIn)).toEqual([['a']])
    await partition.answer(STORED)
    expect(partition.chunks.map(namesIn)).toEqual([['a'], ['b']])
    await partition.answer(STORED)
    await partition.answer(STORED)
    expect(await Promise.all(outcomes)).toEqual(['stored', 'stored', 'stored'])
  })

  test('a piece that Redis has already counts as stored; the others of its chunk are added', async () => {
    const digest = Buffer.from('0123456789ab')
    const outcomes = [
      writer.write(pieceOf('known', digest), provenance),
      writer.write(pieceOf('new'), provenance),
    ]
    await tick()
    await partition.answer({ outcome: 'seen', redisNowMs: 0, digests: [digest] })
    expect(namesIn(partition.chunks[1])).toEqual(['new'])
    await partition.answer(STORED)
    expect(await Promise.all(outcomes)).toEqual(['stored', 'stored'])
  })

  test('two tries of one keyed post never share a chunk, so that the second is recognised', async () => {
    // The claim was renewed meanwhile: the digests differ in when the key was first used.
    const [first, second] = ['0123456789ab\0\0\0\x01', '0123456789ab\0\0\0\x02'].map((digest) =>
      writer.write(pieceOf('keyed', Buffer.from(digest)), provenance),
    )
    const other = writer.write(pieceOf('other'), provenance)
    await tick()
    expect(partition.chunks.map(namesIn)).toEqual([['keyed']])
    await partition.answer(STORED)
    expect(namesIn(partition.chunks[1])).toEqual(['keyed', 'other'])
    const digests = [Buffer.from('0123456789ab\0\0\0\x02')]
    await partition.answer({ outcome: 'seen', redisNowMs: 0, digests })
    expect(namesIn(partition.chunks[2])).toEqual(['other'])
    await partition.answer(STORED)
    expect(await Promise.all([first, second, other])).toEqual(['stored', 'stored', 'stored'])
  })

  test.each([
    ['OOM command not allowed', 'full', 'full'],
    ['READONLY You can not write', 'refused', 'refused'],
    ['Command timed out', 'unknown', 'refused'],
  ])(
    'after %p the add is %s, and what waited behind it is certainly %s',
    async (words, own, rest) => {
      const first = writer.write(pieceOf('a'), provenance)
      await tick()
      const second = writer.write(pieceOf('b'), provenance)
      await partition.answer(new Error(words))
      expect(await first).toBe(own)
      expect(await second).toBe(rest)
      expect(partition.chunks).toHaveLength(1)
      const third = writer.write(pieceOf('c'), provenance)
      await tick()
      await partition.answer(STORED)
      expect(await third).toBe('stored')
    },
  )
})

describe('large posts of several producers', () => {
  it('keep a small one of another waiting for two chunks at most', async () => {
    const partition = new SlowPartition()
    const writer = new PartitionWriter(partition.add, () => false, NEXT_TURN)
    const random = seededRandom(1)
    const idOf = (producer: string) => createRequestId(1, 1, producerTag(producer), random)
    const write = (producer: string, name: string, bytes: number) =>
      void writer.write(pieceOf(name, undefined, bytes), { requestId: idOf(producer), acceptedAtMs: 1 }) // prettier-ignore
    for (let i = 0; i < 80; i++) write(`flood${i % 8}`, `f${i}`, 65_536)
    await tick()
    write('neighbour', 'small', 10)
    for (let i = 0; i < 2; i++) await partition.answer(STORED)
    expect(partition.chunks.slice(1).flatMap(namesIn)).toContain('small')
    for (let i = 0; i < 80; i++) await partition.answer(STORED)
    const flood3 = partition.chunks
      .flatMap(namesIn)
      .filter((name) => Number(name.slice(1)) % 8 === 3)
    expect(flood3).toEqual(Array.from({ length: 10 }, (_, i) => `f${3 + 8 * i}`))
    expect(writer.idle).toBe(true)
  })
})
