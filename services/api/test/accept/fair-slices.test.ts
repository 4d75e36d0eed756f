import { FairSlices, type Steps } from '../../src/accept/fair-slices.js'

/** A clock that only work moves, and an event loop that is turned by hand. */
class Loop {
  now = 0
  turns = 0
  readonly #next: (() => void)[] = []
  readonly slices = new FairSlices({ monotonicMs: () => this.now }, (run) => this.#next.push(run))

  async turn(): Promise<boolean> {
    this.turns++
    const runs = this.#next.splice(0)
    for (const run of runs) run()
    await Promise.resolve()
    return runs.length > 0
  }

  *work(ms: number): Steps<number> {
    for (let done = 0; done < ms; done++) {
      this.now += 1
      yield
    }
    return ms
  }
}

describe('slices of the event loop', () => {
  it('give a short job its result at once, without a promise', () => {
    const loop = new Loop()
    expect(loop.slices.run('a', loop.work(3))).toBe(3)
  })

  it('never run a job for longer than a slice in one turn, nor many short ones', async () => {
    const loop = new Loop()
    const jobs: (number | Promise<number>)[] = [loop.slices.run('a', loop.work(100))]
    for (let i = 0; i < 20; i++) jobs.push(loop.slices.run('a', loop.work(3)))
    let [last, longest] = [0, 0]
    do {
      longest = Math.max(longest, loop.now - last)
      last = loop.now
    } while (await loop.turn())
    const ended = await Promise.all(jobs.map((job) => Promise.resolve(job)))
    expect(ended).toEqual([100, ...Array.from({ length: 20 }, () => 3)])
    expect(longest).toBeLessThanOrEqual(9)
  })

  it('serve a newcomer next, however much eight others have queued', async () => {
    const loop = new Loop()
    for (let i = 0; i < 64; i++) void loop.slices.run(`flood${String(i % 8)}`, loop.work(100))
    for (let i = 0; i < 30; i++) await loop.turn()
    let endedAt = 0
    const askedAt = loop.turns
    void Promise.resolve(loop.slices.run('neighbour', loop.work(3))).then(() => {
      endedAt = loop.turns
    })
    while (endedAt === 0) await loop.turn()
    expect(endedAt - askedAt).toBeLessThanOrEqual(2)
  })

  it('hold nothing against a producer that was served while nobody else came', async () => {
    const loop = new Loop()
    for (let i = 0; i < 500; i++) {
      await loop.slices.run('neighbour', loop.work(3))
      await loop.turn()
    }
    for (let i = 0; i < 64; i++) void loop.slices.run(`flood${String(i % 8)}`, loop.work(100))
    for (let i = 0; i < 30; i++) await loop.turn()
    let isServed = false
    void Promise.resolve(loop.slices.run('neighbour', loop.work(3))).then(() => {
      isServed = true
    })
    for (let i = 0; i < 9; i++) await loop.turn()
    expect(isServed).toBe(true)
  })

  it('divide the time evenly among who always has work', async () => {
    const loop = new Loop()
    const done = { one: 0, two: 0 }
    const endless = function* (name: 'one' | 'two'): Steps<void> {
      for (;;) {
        loop.now += name === 'one' ? 1 : 3
        done[name] += name === 'one' ? 1 : 3
        yield
      }
    }
    for (let i = 0; i < 10; i++) void loop.slices.run('one', endless('one'))
    void loop.slices.run('two', endless('two'))
    for (let i = 0; i < 200; i++) await loop.turn()
    expect(Math.abs(done.one - done.two)).toBeLessThanOrEqual(20)
  })

  it('tell the caller what a job throws, at once and later', async () => {
    const loop = new Loop()
    const failing = function* (after: number): Steps<void> {
      yield* loop.work(after)
      throw new Error('no')
    }
    expect(() => loop.slices.run('a', failing(1))).toThrow('no')
    const later = loop.slices.run('a', failing(30))
    const settled = expect(later).rejects.toThrow('no')
    while (await loop.turn());
    await settled
    expect(loop.slices.run('b', loop.work(1))).toBe(1)
  })
})
