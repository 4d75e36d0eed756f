import { Writable } from 'node:stream'
import { JoinedLines } from '../../src/observability/logger.js'

/** What was written, write by write. */
class Written extends Writable {
  readonly texts: string[] = []

  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.texts.push(chunk.toString())
    done()
  }
}

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

it('lines of a moment are one write, in order and complete', () => {
  const target = new Written()
  const lines = new JoinedLines(target)
  lines.write('a\n')
  lines.write('b\n')
  expect(target.texts).toEqual([])
  jest.runAllTimers()
  lines.write('c\n')
  jest.runAllTimers()
  expect(target.texts).toEqual(['a\nb\n', 'c\n'])
})

it('does not hold back more than a pipe takes', () => {
  const target = new Written()
  const lines = new JoinedLines(target)
  lines.write('x'.repeat(65_536))
  expect(target.texts.join('')).toHaveLength(65_536)
})
