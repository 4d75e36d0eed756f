import type { VendorError } from '../../src/classify/outcome.js'
import type { Item } from '../../src/fetch/window.js'
import { suspectsOf } from '../../src/retry/delivery-plan.js'

const items = ['{"a":{"city":1}}', '{"a":{"street":1}}', '{"a":"the city of x"}'].map(
  (json) => ({ element: { json: Buffer.from(json) } }) as unknown as Item,
)

function suspected(change: Partial<VendorError> | null): boolean[] {
  const error = { status: 400, type: 'TypeError', message: '', attribute: null, requestId: null }
  const isSuspect = suspectsOf(change === null ? null : { ...error, ...change }, items)
  return items.map((_, index) => isSuspect(index))
}

describe('suspects', () => {
  it.each([
    [
      'with the attribute that is named',
      { message: 'is wrong', attribute: 'city' },
      [true, false, false],
    ],
    [
      'without one that is not found',
      { message: 'Not Found', attribute: 'city' },
      [false, true, true],
    ],
    [
      'without one that is missing',
      { message: 'x is missing', attribute: 'city' },
      [false, true, true],
    ],
    [
      'without one that is required',
      { message: 'Required: x', attribute: 'city' },
      [false, true, true],
    ],
    ['no element for no attribute', { message: 'is wrong' }, [false, false, false]],
    ['no element for an empty one', { message: 'missing', attribute: '' }, [false, false, false]],
    ['no element without a message', null, [false, false, false]],
  ])('are elements %s', (_, error, expected) => expect(suspected(error)).toEqual(expected))

  it('are none beyond the end', () => {
    const error = { status: 400, type: '', message: '', attribute: 'city', requestId: null }
    expect(suspectsOf(error, items)(items.length)).toBe(false)
  })
})
