import { dayOf } from '@relay/shared/census/name-record.js'
import { isLookalike, WorkspaceNames, type Posted } from '../../src/census/workspace-names.js'
import { NO_TYPE, TYPE_CODES, USER } from '../../src/census/name-table.js'
import type { Sighting } from '../../src/census/sighting.js'
import { NOW_MS } from '../support/workspace.js'

const BY_SHOP: Posted = { producer: 'shop', nowMs: NOW_MS, projectCode: null }

const user = (attribute: string, type: Sighting['type'] = 'text'): Sighting => {
  return { event: null, attribute, type }
}
const event = (name: string): Sighting => {
  return { event: { name, position: 0 }, attribute: null, type: null }
}
const attribute = (name: string, own: string, type: Sighting['type'] = 'text'): Sighting => {
  return { event: { name, position: 0 }, attribute: own, type }
}

/** Words with no digit at the end, no two of which are one letter apart. */
const wordOf = (n: number) => {
  const digits = String(n).padStart(4, '0')
  return Array.from(digits, (digit) => String.fromCharCode(97 + Number(digit)).repeat(2)).join('-')
}

function seeAll(names: WorkspaceNames, sightings: readonly Sighting[], posted = BY_SHOP) {
  return sightings.map((sighting) => names.see(sighting, posted)?.rule ?? null)
}

describe('two names', () => {
  it.each([
    ['Order placed', 'Order Placed'],
    ['Order placed', 'Order plced'],
    ['Order placed', 'Order pllaced'],
    ['Order placed', 'Oredr placed'],
    ['colour', 'color'],
    ['city_name', 'city-name'],
  ])('%s and %s are one letter apart', (a, b) => {
    expect(isLookalike(a, b)).toBe(true)
    expect(isLookalike(b, a)).toBe(true)
  })

  it.each([
    ['Order placed', 'Order placed'],
    ['Order placed', 'Order paid'],
    ['size', 'side'],
    ['u_fn', 'u_ln'],
    ['item_1', 'item_2'],
    ['address', 'address2'],
    ['score_a', 'score_bc'],
  ])('%s and %s are not', (a, b) => {
    expect(isLookalike(a, b)).toBe(false)
    expect(isLookalike(b, a)).toBe(false)
  })
})

describe('the names of a workspace', () => {
  it('are quiet once they are known, with the type that they had first', () => {
    const names = new WorkspaceNames()
    expect(seeAll(names, [user('plan'), user('plan')])).toEqual([null, null])
    const index = names.table.findText('plan', USER)
    expect(names.table.isQuiet(index, TYPE_CODES.text)).toBe(true)
    expect(names.table.isQuiet(index, NO_TYPE)).toBe(true)
    expect(names.table.isQuiet(index, TYPE_CODES.number)).toBe(false)
  })

  it('are recorded with day, producer and types', () => {
    const names = new WorkspaceNames()
    seeAll(names, [event('Viewed'), attribute('Viewed', 'price', 'number')])
    seeAll(names, [attribute('Viewed', 'price', 'text')], { ...BY_SHOP, producer: 'crm' })
    const firstDay = dayOf(NOW_MS)
    const record = { firstDay, producer: 'shop', doubt: null }
    expect(names.takeChanged()).toEqual([
      { ...record, scope: { of: 'events' }, name: 'Viewed', types: [] },
      { ...record, scope: { of: 'event', event: 'Viewed' }, name: 'price', types: ['number', 'text'] },
    ]) // prettier-ignore
    expect(names.takeChanged()).toEqual([])
  })

  it('of another type than before are told, each time', () => {
    const names = new WorkspaceNames()
    const stream = [user('n', 'number'), user('n', 'text'), user('n', 'number'), user('n', 'text'), user('n', null)] // prettier-ignore
    expect(seeAll(names, stream)).toEqual([null, 'nameType', null, 'nameType', null])
    expect(seeAll(names, [user('m', null), user('m', 'array'), user('m', 'text')])).toEqual([null, null, 'nameType']) // prettier-ignore
    // The attribute of another event may have another type.
    const own = [event('A'), attribute('A', 'n', 'text'), event('B'), attribute('B', 'n', 'number')]
    expect(seeAll(names, own)).toEqual([null, null, null, null])
  })

  it('one letter from a known one are told, and the known one is not', () => {
    const names = new WorkspaceNames()
    const stream = [event('Order placed'), event('Order Placed'), event('Order placed')]
    expect(seeAll(names, stream)).toEqual([null, 'nameLookalike', null])
    expect(names.see(event('Order Placed'), BY_SHOP)?.detail).toBe('Order placed')
    // Standard attributes are documented, however alike.
    expect(seeAll(names, [user('moe_gaid'), user('moe_gaie')])).toEqual([null, null])
  })

  it.each([
    ['events', event, 512],
    ['user attributes', user, 256],
  ] as const)('beyond the bound are told: %s', (_, sighting, bound) => {
    const names = new WorkspaceNames()
    const all = Array.from({ length: bound + 2 }, (__, n) => sighting(wordOf(n)))
    const rules = seeAll(names, all)
    expect(rules.slice(0, bound)).toEqual(Array(bound).fill(null))
    expect(rules.slice(bound)).toEqual(['namesBeyond', 'namesBeyond'])
    expect(seeAll(names, all)).toEqual(rules)
    // A Portfolio has 1,024 of them: told by each post, as a mistaken project code says nothing of others.
    const portfolio = { ...BY_SHOP, projectCode: 'eu' }
    const more = [sighting(wordOf(5_000)), sighting(wordOf(bound))]
    expect(seeAll(names, more, portfolio)).toEqual([null, null])
    expect(seeAll(names, [sighting(wordOf(5_001)), sighting(wordOf(bound))])).toEqual(['namesBeyond', 'namesBeyond']) // prettier-ignore
  })

  it('of one event are bounded by 100, and standard attributes do not count', () => {
    const names = new WorkspaceNames()
    const own = Array.from({ length: 101 }, (_, n) => attribute('A', wordOf(n)))
    const rules = seeAll(names, [event('A'), attribute('A', 'moe_mobile'), ...own])
    expect(rules.indexOf('namesBeyond')).toBe(102)
    expect(rules.filter((rule) => rule !== null)).toHaveLength(1)
    // A post of one attribute gets this warning, too: it is about the name, not about the post.
    expect(names.see(attribute('A', 'another'), BY_SHOP)?.detail).toBe(
      'this event name has more than 100 attribute names in this workspace',
    )
  })

  it('of type object are bounded by 10 of users and 5 of events', () => {
    const names = new WorkspaceNames()
    const objects = Array.from({ length: 11 }, (_, n) => user(wordOf(n), 'object'))
    expect(seeAll(names, objects).indexOf('objectsBeyond')).toBe(10)
    const own = Array.from({ length: 6 }, (_, n) => attribute('A', wordOf(n), 'object'))
    expect(seeAll(names, [event('A'), ...own]).indexOf('objectsBeyond')).toBe(6)
  })

  it('are bounded for any input', () => {
    const names = new WorkspaceNames()
    for (let n = 0; n < 20_000; n += 1) names.see(event(`e-${n}-name`), BY_SHOP)
    for (let n = 0; n < 20_000; n += 1) names.see(user(`u-${n}-name`), BY_SHOP)
    for (let n = 0; n < 40_000; n += 1) {
      names.see(attribute(`e-${n % 2_000}-name`, `${n}-name`), BY_SHOP)
    }
    expect(names.table.size).toBeLessThanOrEqual(8_192)
    expect(names.see(event('another one'), BY_SHOP)?.rule).toBe('namesBeyond')
  })
})
