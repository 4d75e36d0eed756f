import { parseEnvironment } from '../../src/config/environment.js'
import { ConfigError } from '../../src/config/fault.js'
import { readProducers, secretLines } from '../../src/config/producers.js'

const BASE = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }
const producersOf = (list: string) =>
  parseEnvironment({ ...BASE, RELAY_PRODUCERS: list }, 9464).producers

describe('RELAY_PRODUCERS', () => {
  it('names producers and their secrets, which may hold colons', () => {
    expect(producersOf('shop:a:b, crm:c')).toEqual(
      new Map([
        ['shop', ['a:b']],
        ['crm', ['c']],
      ]),
    )
  })

  it('gives a name that occurs twice two valid secrets, so that one can be rotated out', () =>
    expect(producersOf('shop:old,shop:new')).toEqual(new Map([['shop', ['old', 'new']]])))

  it('tells which entry is wrong without quoting it', () => {
    expect(() => producersOf('shop:a,hunter2')).toThrow(ConfigError)
    expect(() => producersOf('shop:a,hunter2')).toThrow(/entry 2/)
    expect(() => producersOf('shop:a,hunter2')).not.toThrow(/hunter2/)
  })
})

describe('an entry', () => {
  it.each([
    ['a:b', ['a', 'b']],
    [' a :b', ['a', 'b']],
    ['A.b_c-9:b', ['A.b_c-9', 'b']],
    [`${'x'.repeat(64)}:b`, ['x'.repeat(64), 'b']],
    [':b', null],
    [' :b', null],
    ['a', null],
    ['a:', null],
    ['a b:c', null],
    ['/a:b', null],
    ['a/:b', null],
    [`${'x'.repeat(65)}:b`, null],
  ])('%j names %j', (entry, expected) => {
    const { producers, faults } = readProducers([entry], 'RELAY_PRODUCERS_FILE')
    const [found] = [...producers].map(([name, [secret]]) => [name, secret])
    expect(found ?? null).toEqual(expected)
    expect(faults.map(({ where }) => where)).toEqual(
      expected === null ? ['RELAY_PRODUCERS_FILE'] : [],
    )
  })
})

it('lines of a file of secrets are taken without blanks around them, blank ones and comments', () =>
  expect(secretLines(' a \r\n\n  \n# no\n  # no\nb#c')).toEqual(['a', 'b#c']))
