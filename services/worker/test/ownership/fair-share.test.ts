import fc from 'fast-check'
import { fairShare } from '../../src/ownership/fair-share.js'

const tagsOf = (count: number) => Array.from({ length: count }, (_, i) => `APP/realtime/0/${i}`)
const sessionsOf = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`)

/** Every session in turn claims the free partitions of its share and releases the others. */
function round(
  sessions: readonly string[],
  dirty: readonly string[],
  owners: Map<string, string>,
): number {
  let moves = 0
  for (const self of sessions) {
    const { claim, release } = fairShare(self, sessions, dirty, owners)
    for (const tag of release) {
      expect(owners.get(tag)).toBe(self)
      owners.delete(tag)
    }
    for (const tag of claim) {
      expect(owners.has(tag)).toBe(false)
      owners.set(tag, self)
    }
    moves += claim.length + release.length
  }
  return moves
}

describe('a fair share', () => {
  it('is reached in a few rounds from any start, and then nothing moves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(7), { maxLength: 24 }),
        (count, starts) => {
          const sessions = sessionsOf(count)
          const dirty = tagsOf(starts.length)
          const owners = new Map<string, string>()
          // Beyond the sessions: free.
          dirty.forEach((tag, i) => {
            const owner = sessions[starts[i] ?? 0]
            if (owner !== undefined) owners.set(tag, owner)
          })
          for (let n = 0; n < 8; n += 1) round(sessions, dirty, owners)
          expect(round(sessions, dirty, owners)).toBe(0)
          const counts = sessions.map(
            (session) => dirty.filter((tag) => owners.get(tag) === session).length,
          )
          expect(counts.reduce((a, b) => a + b)).toBe(dirty.length)
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('of one session is everything, and nothing is given up', () => {
    const dirty = tagsOf(5)
    const { claim, release } = fairShare('a', ['a'], dirty, new Map())
    expect([...claim].sort()).toEqual(dirty)
    expect(release).toEqual([])
    const all = new Map(dirty.map((tag) => [tag, 'a']))
    expect(fairShare('a', ['a'], dirty, all)).toEqual({ claim: [], rest: [], release: [] })
    // Before its own session is known to it.
    expect(fairShare('a', [], dirty, new Map()).claim).toHaveLength(5)
  })

  it('is no reason to move what is fair enough already', () => {
    const dirty = tagsOf(5)
    const owners = new Map(dirty.map((tag, i) => [tag, i < 3 ? 'a' : 'b']))
    expect(fairShare('a', ['a', 'b'], dirty, owners)).toEqual({ claim: [], rest: [], release: [] })
    expect(fairShare('b', ['a', 'b'], dirty, owners)).toEqual({ claim: [], rest: [], release: [] })
  })

  it('is rounded down for who has more, only while another has less than that', () => {
    const dirty = tagsOf(5)
    const owners = new Map(dirty.slice(0, 3).map((tag) => [tag, 'a']))
    const rest = dirty.slice(3)
    // The other has one of its two, the second is free: a gives up its third.
    owners.set(rest[0] ?? '', 'b')
    expect(fairShare('a', ['a', 'b'], dirty, owners).release).toHaveLength(1)
    owners.set(rest[1] ?? '', 'b')
    expect(fairShare('a', ['a', 'b'], dirty, owners).release).toEqual([])
  })

  it('leaves to others what suits them: with the same tags free, sessions want different ones', () => {
    const dirty = tagsOf(40)
    const wishes = sessionsOf(4).map((s) => fairShare(s, sessionsOf(4), dirty, new Map()).claim)
    for (const claim of wishes) expect(claim).toHaveLength(10)
    const distinct = new Set(wishes.flat())
    // By chance 40 × (1 − (3/4)⁴) = 27 of the 40 would be wanted by somebody.
    expect(distinct.size).toBeGreaterThan(18)
    // For any order in which they are seen.
    const reversed = fairShare('s0', sessionsOf(4), [...dirty].reverse(), new Map())
    expect(reversed.claim).toEqual(wishes[0])
  })

  it('gives up what suits it least: claimed again, it would be claimed last', () => {
    const dirty = tagsOf(6)
    const owners = new Map(dirty.map((tag) => [tag, 'a']))
    const { release } = fairShare('a', ['a', 'b'], dirty, owners)
    const liking = fairShare('a', ['a'], dirty, new Map()).claim
    expect(release).toEqual(liking.slice(3))
  })
})
