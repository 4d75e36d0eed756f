import fc from 'fast-check'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { Item, PartitionWindow } from '../../src/fetch/window.js'
import { MaxAge } from '../../src/settle/max-age.js'
import { partitions, windowsOf } from '../support/windows.js'

/** Chunks of `windowsOf` are accepted one ms after another, from 1,001 on. */
const FIRST_MS = 1_001

class Letters {
  readonly all: DeadLetter[] = []
  fails = false

  add(letters: readonly DeadLetter[]): Promise<void> {
    if (this.fails) return Promise.reject(new Error('Redis is away'))
    this.all.push(...letters)
    return Promise.resolve()
  }
}

interface Given {
  readonly maxAgeMs: number | null
  readonly wallMs: number
  readonly redisMs: number
}

function expiryOf({ maxAgeMs, wallMs, redisMs }: Given) {
  const letters = new Letters()
  const counted: Item[] = []
  const maxAge = new MaxAge({
    maxAgeMs,
    clock: { nowMs: () => wallMs, monotonicMs: () => 0 },
    redisNowMs: () => redisMs,
    deadLetters: letters,
    settler: {
      settle: (items) => {
        for (const item of items) item.window.settle([item])
        return Promise.resolve(items)
      },
    },
    erasures: { covers: () => false, take: () => ({ end: () => undefined }) },
    onExpired: (item) => counted.push(item),
  })
  return { maxAge, letters, counted }
}

/** What is left to be sent, in order. */
function left(window: PartitionWindow): string[] {
  return window.chunks.flatMap((chunk) =>
    chunk.elements.filter((_, i) => !chunk.isDone(i)).map(({ json }) => json.toString()),
  )
}

function loaded(window: PartitionWindow) {
  return window.chunks.flatMap(({ elements }) => elements)
}

describe('an age limit', () => {
  it('takes out what is older by both clocks, each once, and leaves the others in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        partitions,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: -20, max: 20 }),
        fc.integer({ min: 1, max: 500 }),
        async (specs, agedMs, stepMs, maxAgeMs) => {
          const windows = windowsOf(specs)
          const wallMs = FIRST_MS + maxAgeMs + agedMs
          const given = { maxAgeMs, wallMs, redisMs: wallMs + stepMs }
          const { maxAge, letters, counted } = expiryOf(given)
          const before = Math.min(wallMs, wallMs + stepMs) - maxAgeMs
          const isOld = (atMs: number) => atMs < before
          const all = windows.flatMap(loaded)
          const kept = windows.map((window) =>
            loaded(window)
              .filter(({ provenance }) => !isOld(provenance.acceptedAtMs))
              .map(({ json }) => json.toString()),
          )
          for (const window of windows) await maxAge.deadLetter(maxAge.expiredIn(window), 0)
          const old = all.filter(({ provenance }) => isOld(provenance.acceptedAtMs))
          expect(letters.all.map(({ element }) => element)).toEqual(
            old.map(({ json }) => json.toString()),
          )
          expect(new Set(letters.all.map(({ reason }) => reason)).size).toBeLessThanOrEqual(1)
          expect(counted).toHaveLength(old.length)
          expect(windows.map(left)).toEqual(kept)
          for (const window of windows) expect(maxAge.expiredIn(window)).toEqual([])
        },
      ),
    )
  })

  it('is off without a setting, however old an element is', () => {
    const [window] = windowsOf([[[{ customer: 1, kind: 'user', bytes: 20, cost: 1 }]]])
    if (!window) throw new Error('no window')
    const { maxAge } = expiryOf({ maxAgeMs: null, wallMs: 1e15, redisMs: 1e15 })
    expect(maxAge.expiredIn(window)).toEqual([])
  })

  it('settles nothing whose dead letter is not kept for certain', async () => {
    const [window] = windowsOf([[[{ customer: 1, kind: 'user', bytes: 20, cost: 1 }]]])
    if (!window) throw new Error('no window')
    const { maxAge, letters, counted } = expiryOf({ maxAgeMs: 1, wallMs: 1e15, redisMs: 1e15 })
    letters.fails = true
    await expect(maxAge.deadLetter(maxAge.expiredIn(window), 0)).rejects.toThrow()
    expect(left(window)).toHaveLength(1)
    expect(counted).toEqual([])
  })

  it('says why, and how often the element was sent', async () => {
    const [window] = windowsOf([[[{ customer: 1, kind: 'user', bytes: 20, cost: 1 }]]])
    if (!window) throw new Error('no window')
    const { maxAge, letters } = expiryOf({ maxAgeMs: 60_000, wallMs: 1e15, redisMs: 1e15 })
    await maxAge.deadLetter(maxAge.expiredIn(window), 3)
    expect(letters.all[0]).toMatchObject({
      reason: 'expired',
      attempts: 3,
      answer: { status: 0, message: 'not delivered within 60 s of its acceptance' },
    })
  })
})
