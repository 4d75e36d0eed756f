import { STAYS, FairTurns } from '../../src/accept/fairness.js'
import { LeavingCaller } from '../support/doubles.js'

describe('turns of the producers', () => {
  it('run a few at one time, and serve a newcomer before the rest of a flood', async () => {
    const turns = new FairTurns(2)
    const begun: string[] = []
    const ends: (() => void)[] = []
    let [running, most] = [0, 0]
    const work = (name: string) =>
      turns.run(
        name,
        async () => {
          begun.push(name)
          most = Math.max(most, ++running)
          await new Promise<void>((resolve) => ends.push(resolve))
          running--
        },
        STAYS,
      )
    const all = ['flood', 'flood', 'flood', 'flood', 'flood', 'neighbour'].map(work)
    while (begun.length < all.length || ends.length > 0) {
      ends.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(all)
    expect(most).toBe(2)
    expect(begun.indexOf('neighbour')).toBe(3)
  })

  it('pass on the place of work that fails', async () => {
    const turns = new FairTurns(1)
    const failed = turns.run('a', () => Promise.reject(new Error('no')), STAYS)
    const next = turns.run('b', () => Promise.resolve('done'), STAYS)
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('done')
  })

  it('are not given to a caller that left while it waited', async () => {
    const turns = new FairTurns(1)
    const caller = new LeavingCaller()
    const begun: string[] = []
    let end = (): void => undefined
    const holding = turns.run('a', () => new Promise<void>((resolve) => (end = resolve)), STAYS)
    const work = (name: string) => () => Promise.resolve(begun.push(name))
    const left = turns.run('b', work('left'), caller)
    const stays = turns.run('b', work('stays'), STAYS)
    const next = turns.run('c', work('next'), STAYS)
    caller.leave()
    expect(await left).toBeNull()
    end()
    await Promise.all([holding, stays, next])
    expect(begun).toEqual(['stays', 'next'])
    expect(caller.waiting).toBe(0)
  })
})
