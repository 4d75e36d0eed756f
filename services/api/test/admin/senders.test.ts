import { Senders } from '../../src/admin/eraser.js'

const LEASE_MS = 15_000
const NONE: ReadonlySet<string> = new Set()
const roster = (redisNowMs: number, ...sessions: [string, number][]) => ({
  redisNowMs,
  sessions: new Map(sessions),
})

/** Long after the start, when Redis is trusted. */
function trusted(): Senders {
  return new Senders(LEASE_MS, -LEASE_MS)
}

describe('who may still send', () => {
  it('is every worker that has not confirmed, until its lease has ended as reckoned here', () => {
    const senders = trusted()
    senders.observe(roster(1e6, ['a.1@r', 1e6 + 9_000], ['b.1@r', 1e6 + 12_000]), 0)
    expect(senders.unconfirmed(NONE, 0)).toBe(2)
    expect(senders.unconfirmed(new Set(['b']), 0)).toBe(1)
    // Redis forgot both, or its clock stepped: that proves nothing.
    senders.observe(roster(9e6), 1_000)
    expect(senders.unconfirmed(new Set(['b']), 8_999)).toBe(1)
    expect(senders.unconfirmed(new Set(['b']), 9_000)).toBe(0)
    expect(senders.unconfirmed(NONE, 11_999)).toBe(1)
    expect(senders.unconfirmed(NONE, 12_000)).toBe(0)
  })

  it('is one worker under any session; its confirmation stays valid', () => {
    const senders = trusted()
    senders.observe(roster(0, ['a.1@r', 9_000]), 0)
    senders.observe(roster(1_000, ['a.2@s', 16_000]), 1_000)
    expect(senders.unconfirmed(NONE, 1_000)).toBe(1)
    expect(senders.unconfirmed(new Set(['a']), 1_000)).toBe(0)
  })

  it('is not known for a lease after the start, and after Redis restarted', () => {
    const senders = new Senders(LEASE_MS, 0)
    expect(senders.unconfirmed(NONE, LEASE_MS - 1)).toBeNull()
    expect(senders.unconfirmed(NONE, LEASE_MS)).toBe(0)
    senders.distrust(20_000)
    expect(senders.unconfirmed(NONE, 20_000 + LEASE_MS - 1)).toBeNull()
    expect(senders.unconfirmed(NONE, 20_000 + LEASE_MS)).toBe(0)
  })
})
