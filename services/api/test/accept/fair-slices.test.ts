import { STAYS, FairSlices, type Caller, type Steps } from '../../src/accept/fairness.js'
import { LeavingCaller } from '../support/doubles.js'

/** A clock that only work moves, and an event loop that is turned by hand. */
class Loop {
  now = 0
  turns = 0
  readonly #next: (() => void)[] = []
  readonly #slices = new FairSlices({ monotonicMs: () => this.now }, (run) => this.#next.push(run))

  run<T>(producer: string, steps: Steps<T>, caller: Caller = STAYS): T | Promise<T | null> {
    return this.#slices.run(producer, steps, caller)
  }

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
    expect(loop.run('a', loop.work(3))).toBe(3)
  })

  it('never run a job for longer than a slice in one turn, nor many short ones', async () => {
    const loop = new Loop()
    const jobs: (number | Promise<number | null>)[] = [loop.run('a', loop.work(100))]
    for (let i = 0; i < 20; i++) jobs.push(loop.run('a', loop.work(3)))
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
    for (let i = 0; i < 64; i++) void loop.run(`flood${i % 8}`, loop.work(100))
    for (let i = 0; i < 30; i++) await loop.turn()
    let endedAt = 0
    const askedAt = loop.turns
    void Promise.resolve(loop.run('neighbour', loop.work(3))).then(() => {
      endedAt = loop.turns
    })
    while (endedAt === 0) await loop.turn()
    expect(endedAt - askedAt).toBeLessThanOrEqual(2)
  })

  it('hold nothing against a producer that was served while no one else came', async () => {
    const loop = new Loop()
    for (let i = 0; i < 500; i++) {
      await loop.run('neighbour', loop.work(3))
      await loop.turn()
    }
    for (let i = 0; i < 64; i++) void loop.run(`flood${i % 8}`, loop.work(100))
    for (let i = 0; i < 30; i++) await loop.turn()
    let isServed = false
    void Promise.resolve(loop.run('neighbour', loop.work(3))).then(() => {
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
    for (let i = 0; i < 10; i++) void loop.run('one', endless('one'))
    void loop.run('two', endless('two'))
    for (let i = 0; i < 200; i++) await loop.turn()
    expect(Math.abs(done.one - done.two)).toBeLessThanOrEqual(20)
  })

  it('drop the jobs of a caller that leaves, begun or not, and serve the next at once', async () => {
    const loop = new Loop()
    const caller = new LeavingCaller()
    const begun = loop.run('a', loop.work(100), caller)
    const queued = loop.run('a', loop.work(1_000), caller)
    const other = loop.run('a', loop.work(20))
    const { now } = loop
    caller.leave()
    expect(await Promise.all([begun, queued])).toEqual([null, null])
    while (await loop.turn());
    expect(await other).toBe(20)
    expect(loop.now - now).toBe(20)
    expect(caller.waiting).toBe(0)
  })

  it('listen no longer for a caller whose job has ended', async () => {
    const loop = new Loop()
    const caller = new LeavingCaller()
    const job = loop.run('a', loop.work(30), caller)
    while (await loop.turn());
    expect(await job).toBe(30)
    expect(caller.waiting).toBe(0)
  })

  it('tell the caller what a job throws, at once and later', async () => {
    const loop = new Loop()
    const failing = function* (after: number): Steps<void> {
      yield* loop.work(after)
      throw new Error('no')
    }
    expect(() => loop.run('a', failing(1))).toThrow('no')
    const later = loop.run('a', failing(30))
    const settled = expect(later).rejects.toThrow('no')
    while (await loop.turn());
    await settled
    expect(loop.run('b', loop.work(1))).toBe(1)
  })
})
