import { parseOptions } from '../src/options.js'

describe('options', () => {
  it('writes the document only when all rows are measured in full', () => {
    expect(parseOptions([]).out).toBe('docs/reports/performance.md')
    expect(parseOptions(['--rows', 'drain']).out).toBeNull()
    expect(parseOptions(['--quick']).out).toBeNull()
    expect(parseOptions(['--quick', '--out', 'x.md']).out).toBe('x.md')
  })

  it('repeats three times, and once when quick', () => {
    expect(parseOptions([]).repeat).toBe(3)
    expect(parseOptions(['--quick']).repeat).toBe(1)
    expect(() => parseOptions(['--repeat', 'often'])).toThrow('--repeat')
  })
})
