import { FairTurns } from '../../src/http/fair-turns.js'

describe('turns of the producers', () => {
  it('run a few at one time, and serve a newcomer before the rest of a flood', async () => {
    const turns = new FairTurns(2)
    const begun: string[] = []
    const ends: (() => void)[] = []
    let [running, most] = [0, 0]
    const work = (name: string) =>
      turns.run(name, async () => {
        begun.push(name)
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => ends.push(resolve))
        running--
      })
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
    const failed = turns.run('a', () => Promise.reject(new Error('no')))
    const next = turns.run('b', () => Promise.resolve('done'))
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('done')
  })
})
