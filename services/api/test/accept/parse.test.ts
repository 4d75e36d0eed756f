import { parseBody, type Endpoint } from '../../src/accept/parse.js'
import { NESTING_LEVELS } from '../../src/validate/limits.js'

const MOST = 3
const parse = (body: string | Buffer, endpoint: Endpoint = 'transition') =>
  parseBody(Buffer.from(body), endpoint, MOST)
const list = (...elements: string[]) => `{"type":"transition","elements":[${elements.join()}]}`
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

it.each([[['{"a":1}']], [['{"a":1}', ' {"b":[1,2]} ', 'null']], [['"text"', '[1,[2]]', '3']]])(
  'a list of %j is its elements, each with its place',
  (elements) => {
    const body = list(...elements)
    const parsed = parse(body)
    if (!parsed.ok) throw new Error(parsed.fault.message)
    expect(parsed.elements.map(({ value }) => value)).toEqual(
      elements.map((json) => JSON.parse(json) as unknown),
    )
    expect(parsed.elements.map(({ span: { start, end } }) => body.slice(start, end))).toEqual(
      elements.map((json) => json.trim()),
    )
  },
)

it('one element is the whole body without the blanks around it', () => {
  const parsed = parse(' {"type":"transition"}\n', 'event')
  expect(parsed).toMatchObject({
    ok: true,
    elements: [{ value: { type: 'transition' }, span: { start: 1, end: 22 } }],
  })
})

it.each<[string, string | Buffer, string, string | undefined]>([
  ['nothing', '', 'Empty request body', undefined],
  ['blanks', ' \n', 'Empty request body', undefined],
  ['no JSON', '{"type"', 'Malformed JSON', undefined],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'Malformed JSON', undefined],
  ['JSON that is too deep', nested(NESTING_LEVELS + 1), 'Malformed JSON', undefined],
  ['JSON that is just not too deep', nested(NESTING_LEVELS), 'Body type is not JSON', undefined],
  ['a list', '[]', 'Body type is not JSON', undefined],
  ['null', 'null', 'Body type is not JSON', undefined],
  ['a text', '"x"', 'Body type is not JSON', undefined],
  ['no type', '{"elements":[1]}', 'MissingAttributeError', 'type'],
  ['another type', '{"type":"event","elements":[1]}', 'AttributeError', 'type'],
  ['no elements', '{"type":"transition"}', 'MissingAttributeError', 'elements'],
  ['elements that are no list', '{"type":"transition","elements":{}}', 'TypeError', 'elements'],
  ['an empty list', list(), 'MissingAttributeError', 'elements'],
  ['too many', list('1', '2', '3', '4'), 'AttributeError', 'elements'],
])('%s is refused', (_, body, type, attribute) => {
  const parsed = parse(body)
  if (parsed.ok) throw new Error('was taken')
  expect(parsed.fault.type).toBe(type)
  expect(parsed.fault.attribute).toBe(attribute)
  expect(parsed.fault.message).not.toBe('')
})

it('where JSON ends is told by its place, and nothing of the body is quoted', () => {
  const parsed = parse('{"hunter2":1 2}')
  if (parsed.ok) throw new Error('was taken')
  expect(parsed.fault.message).toContain(' at line 1, column 14')
  expect(parsed.fault.message).not.toContain('hunter2')
  const other = parse('{"a": hunter2}')
  expect(JSON.stringify(other)).not.toContain('hunter2')
})
