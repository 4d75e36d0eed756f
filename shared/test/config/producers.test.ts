import { parseEnvironment } from '../../src/config/environment.js'
import { ConfigError } from '../../src/config/fault.js'

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

  it('gives a name that stands twice two valid secrets, so that one can be rotated out', () => {
    expect(producersOf('shop:old,shop:new')).toEqual(new Map([['shop', ['old', 'new']]]))
  })

  it('tells which entry is wrong without quoting it', () => {
    expect(() => producersOf('shop:a,hunter2')).toThrow(ConfigError)
    expect(() => producersOf('shop:a,hunter2')).toThrow(/entry 2/)
    expect(() => producersOf('shop:a,hunter2')).not.toThrow(/hunter2/)
  })
})
