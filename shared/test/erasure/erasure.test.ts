import {
  chunkOfLetter,
  coversChunk,
  parseErasure,
  type Erasure,
} from '../../src/erasure/erasure.js'

const erasure: Erasure = {
  id: 'e',
  appId: 'APP',
  customer: 'c0ffee',
  boundary: { 'APP/realtime/3/1': 9, 'APP/backfill/3/1': 0, 'APP/realtime/4/0': 2 },
  doneAtMs: null,
}

describe('an erasure covers', () => {
  it.each([
    ['APP/realtime/3/1', '9', true],
    ['APP/realtime/3/1', '10', false],
    // Nothing was stored there before the request.
    ['APP/backfill/3/1', '1', false],
    ['APP/realtime/4/0', '2', true],
    // A generation that was drained before, whose dead letters are left.
    ['APP/realtime/2/7', '123', true],
    // Another customer's partition, and a generation that was opened after the request.
    ['APP/realtime/3/0', '1', false],
    ['APP/realtime/5/0', '1', false],
    ['not a tag', '1', false],
  ])('chunk %s %s: %s', (tag, chunkId, covered) =>
    expect(coversChunk(erasure, tag, chunkId)).toBe(covered),
  )

  it.each([
    ['APP/realtime/3/1', '9-1000999', true],
    // Redis lost its last writes: numbers are repeated, of partitions and of generations.
    ['APP/realtime/3/1', '9-1001000', false],
    ['APP/realtime/2/7', '1-1001000', false],
    ['APP/realtime/3/1', '10-1000000', false],
    // Stored by a version before 0.2.
    ['APP/realtime/3/1', '9', true],
  ])('until 1,000 ms chunk %s %s: %s', (tag, chunkId, covered) => {
    expect(coversChunk({ ...erasure, untilMs: 1_000 }, tag, chunkId)).toBe(covered)
  })

  it('nothing where nothing was ever posted', () => {
    expect(coversChunk({ ...erasure, boundary: {} }, 'APP/realtime/0/0', '1')).toBe(false)
  })
})

it("a dead letter's id names its chunk, also if the workspace's id contains dots", () => {
  const chunk = { tag: 'my.APP/backfill/2/5', chunkId: '77' }
  expect(chunkOfLetter('my.APP.backfill.2.5.77.3')).toEqual(chunk)
})

it('a record that this version cannot read is none', () => {
  expect(parseErasure(JSON.stringify(erasure))).toEqual(erasure)
  expect(parseErasure('{"id":"e"}')).toBeNull()
  expect(parseErasure('{')).toBeNull()
})
