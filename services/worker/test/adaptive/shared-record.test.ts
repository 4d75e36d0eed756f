import fc from 'fast-check'
import { SharedRecord } from '../../src/adaptive/shared-record.js'

/** A record in Redis, whose answers come when the test lets them. */
class Store {
  text = ''
  isAway = false
  readonly #held: (() => void)[] = []

  readonly change = async (seen: string, next: string) => {
    await new Promise<void>((resolve) => this.#held.push(resolve))
    if (this.isAway) throw new Error('no answer')
    if (this.text !== seen) return { changed: false, record: this.text }
    this.text = next
    return { changed: true, record: next }
  }

  async answer(): Promise<void> {
    for (let i = 0; i < 20; i += 1) {
      this.#held.shift()?.()
      await Promise.resolve()
    }
  }
}

/** The smallest number learnt: what was learnt last is not always what holds. */
const atMost = (n: number) => (before: number) => Math.min(before, n)
const recordOf = (store: Store) =>
  new SharedRecord({
    change: store.change,
    parse: (text) => (text === '' ? Infinity : Number(text)),
  })

test('a update survives a read that was in flight when it was learnt', async () => {
  const store = new Store()
  const updates = recordOf(store)
  const read = store.text
  const learnt = updates.apply(atMost(5))
  const adopted = updates.adopt(read)
  expect(updates.value).toBe(5)
  await store.answer()
  await Promise.all([learnt, adopted])
  expect([updates.value, store.text]).toEqual([5, '5'])
})

test('a update learnt while Redis was away is stored once it is back', async () => {
  const store = new Store()
  const updates = recordOf(store)
  store.isAway = true
  const failed = expect(updates.apply(atMost(5))).rejects.toThrow('no answer')
  await store.answer()
  await failed
  store.isAway = false
  const adopted = updates.adopt('')
  await store.answer()
  await adopted
  expect([updates.value, store.text]).toEqual([5, '5'])
})

test('after everything is stored all workers know every update, for any order and failures', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ worker: fc.nat(2), n: fc.integer({ min: 1, max: 99 }), away: fc.boolean() }),
        { minLength: 1, maxLength: 30 },
      ),
      async (schedule) => {
        const store = new Store()
        const workers = [0, 1, 2].map(() => recordOf(store))
        for (const { worker, n, away } of schedule) {
          store.isAway = away
          const learnt = workers[worker]?.apply(atMost(n)).catch(() => undefined)
          await store.answer()
          await learnt
          expect(workers[worker]?.value).toBeLessThanOrEqual(n)
        }
        store.isAway = false
        for (let round = 0; round < 2; round += 1) {
          for (const one of workers) {
            const adopted = one.adopt(store.text)
            await store.answer()
            await adopted
          }
        }
        const least = Math.min(...schedule.map(({ n }) => n))
        expect(workers.map(({ value }) => value)).toEqual([least, least, least])
      },
    ),
  )
})
