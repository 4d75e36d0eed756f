import { gzipSync } from 'node:zlib'
import { elementWith } from './bytes.js'

/** Bodies of 1 MiB that cost most for their size on the wire: all but a few KB is repeated. */

const BYTES = 1_048_000

/** `head`, as many of `unit` as fit, with commas between them, and `tail`. */
function filled(head: string, unit: (i: number) => string, tail: string): Buffer {
  const parts: string[] = []
  let left = BYTES - head.length - tail.length
  for (let i = 0; left > 0; i++) {
    const part = unit(i)
    left -= part.length + 1
    if (left > 0) parts.push(part)
  }
  return gzipSync(head + parts.join() + tail)
}

const ELEMENTS = '{"type":"transition","elements":['
const [BEFORE = '', AFTER = ''] = elementWith('{"a":[#]}').split('#')
const inArray = (unit: string) => filled(BEFORE, () => unit, AFTER)
const inElements = (unit: (i: number) => string) => filled(ELEMENTS, unit, ']}')
const inActions = (unit: string) =>
  filled(`${ELEMENTS}{"type":"event","customer_id":"ann","actions":[`, () => unit, ']}]}')
const user = (i: number) => `{"type":"customer","customer_id":"c${i}"`

/** The one of 340,000 empty arrays, which took 455 ms of the event loop at 2a13789. */
export const NESTED = inArray('[]')

export const COSTLY: readonly {
  readonly what: string
  readonly answer: number
  readonly body: Buffer
}[] = [
  { what: 'empty arrays', answer: 413, body: NESTED },
  { what: 'arrays four levels deep', answer: 413, body: inArray('[[[[]]]]') },
  { what: 'empty objects', answer: 413, body: inArray('{}') },
  { what: 'halves of surrogate pairs', answer: 413, body: inArray('"\\ud800"') },
  { what: 'empty actions', answer: 400, body: inActions('{}') },
  { what: 'actions of one event', answer: 200, body: inActions('{"action":"a"}') },
  { what: 'empty elements', answer: 400, body: inElements(() => '{}') },
  { what: 'users without attributes', answer: 200, body: inElements((i) => `${user(i)}}`) },
  {
    what: 'users with an unknown member',
    answer: 200,
    body: inElements((i) => `${user(i)},"x":1}`),
  },
  {
    what: 'users with a name twice',
    answer: 200,
    body: inElements((i) => `${user(i)},"attributes":{"a":1,"a":2}}`),
  },
  {
    what: 'users with a text that cannot be sent',
    answer: 400,
    body: inElements((i) => `${user(i)},"attributes":{"\\u0061":"\\ud800"}}`),
  },
  {
    what: 'members beside one element',
    answer: 400,
    body: filled('{"type":"transition",', (i) => `"k${i}":1`, ',"elements":[{}]}'),
  },
]
