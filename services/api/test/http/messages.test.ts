import { connect } from 'node:net'
import { APP, basic, TestIntake, workspace } from '../support/intake.js'
import { user } from '../corpus/case.js'

const LF = '\n'
const bodyWith = (value: string) =>
  `{"type":"transition",${LF} "elements":[${LF}  {"type":"customer","customer_id":"ann","attributes":{"a":${value}}}]}`
/** Column of the value above, in its third line. */
const COLUMN = '  {"type":"customer","customer_id":"ann","attributes":{"a":'.length + 1

const FAULTS: readonly (readonly [string, string, number, number, RegExp])[] = [
  ['NaN', bodyWith('NaN'), 3, COLUMN, /NaN and Infinity are not JSON/],
  ['Infinity', bodyWith('Infinity'), 3, COLUMN, /NaN and Infinity are not JSON/],
  ['-Infinity', bodyWith('-Infinity'), 3, COLUMN, /NaN and Infinity are not JSON/],
  ['a word of Python', bodyWith('None'), 3, COLUMN, /Python/],
  ['a word of JavaScript', bodyWith('undefined'), 3, COLUMN, /undefined is not JSON/],
  ['single quotes', bodyWith("'x'"), 3, COLUMN, /double quotes/],
  ['a comment', bodyWith('/* x */ 1'), 3, COLUMN, /comments/],
  ['a comma too many in an object', bodyWith('{"b":1,}'), 3, COLUMN + 7, /extra comma/],
  ['a comma too many in a list', bodyWith('[1,]'), 3, COLUMN + 3, /extra comma/],
  ['a missing comma', bodyWith('1 "b":2'), 3, COLUMN + 2, /missing/],
  ['a leading zero', bodyWith('007'), 3, COLUMN, /numbers begin/],
  ['a leading plus', bodyWith('+1'), 3, COLUMN, /numbers begin/],
  ['a line break in a text', bodyWith(`"x${LF}y"`), 3, COLUMN, /control character/],
  ['a bad escape', bodyWith('"\\x41"'), 3, COLUMN, /wrong escape/],
  ['an early end', '{"type":"transition","elements":[', 1, 34, /ends too early/],
  ['more behind it', `{"type":"transition","elements":[]}${LF}x`, 2, 1, /./],
  ['a NUL at the end', '{"type":1}\0', 1, 11, /NUL follows/],
  ['UTF-16', Buffer.from('{"type":1}', 'utf16le').toString(), 1, 2, /UTF-16/],
] // prettier-ignore

describe('a message says what to do', () => {
  const intake = new TestIntake([workspace(APP)])
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())
  const message = async (body: string | Buffer) => (await intake.send({ body })).body.error!.message

  it.each(FAULTS)('line and column of %s', async (_, body, line, column, words) => {
    const text = await message(body)
    expect(text).toContain(`at line ${line}, column ${column}`)
    expect(text).toMatch(words)
    expect(text).toMatch(/\w[.?] See /)
    expect(text).not.toContain('ann')
  })

  it('about a list as body', async () => {
    expect(await message(`[${user()}]`)).toContain('{"type":"transition","elements":[…]}')
  })

  it('about a body that was encoded twice', async () => {
    const twice = JSON.stringify(user())
    expect(await message(twice)).toContain('encoded more than once')
    expect(await message(JSON.stringify(twice))).toContain('encoded more than once')
    expect(await message('"hello"')).not.toContain('encoded')
    const list = JSON.stringify({ type: 'transition', elements: '[{}]' })
    expect(await message(list)).toContain('expected array. This is JSON inside a JSON string')
  })

  it('about the key of MoEngage as password, without telling whether it is the right one', async () => {
    const answers = await Promise.all(
      ['vendor-key', 'another'].map((secret) =>
        intake.send({ headers: { authorization: basic(APP, secret) }, body: user() }),
      ),
    )
    const [own, other] = answers.map(({ body }) => body.error!.message)
    expect(own).toBe(other)
    expect(own).toContain('not the API key of MoEngage')
    expect(own).not.toContain('dashboard')
  })

  it('after a byte order mark has been skipped', async () => {
    const { status } = await intake.send({ path: `/v1/customer/${APP}`, body: `\ufeff${user()}` })
    expect(status).toBe(200)
    expect(intake.store.take()).toEqual([user()])
  })

  it.each([
    ['Malformed JSON', { body: '{' }, '#malformed-json'],
    ['Authentication Required', { headers: { authorization: null } }, '#authentication-required-header'],
    ['Not Found', { path: '/v1/nothing' }, '#not-found'],
    ['AttributeError', { body: '{"type":"x"}' }, '#attributeerror'],
  ])('and where its page is: %s', async (type, sending, anchor) => {
    const { body, headers } = await intake.send(sending)
    expect(body.error?.type).toBe(type)
    expect(body.error?.message).toContain(`/docs/errors.md${anchor}`)
    expect(headers.link).toBe(`</docs/errors.md${anchor}>; rel="help"`)
    const page = await intake.send({ method: 'GET', path: '/openapi.json' })
    expect(page.status).toBe(200)
  }) // prettier-ignore

  /** The answer to raw bytes. */
  function raw(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(intake.port, '127.0.0.1', () => socket.write(request))
      let text = ''
      socket.on('data', (bytes) => (text += bytes.toString()))
      socket.on('close', () => { resolve(text) }) // prettier-ignore
      socket.on('error', reject)
    })
  }

  it.each([
    ['an expectation that no one can meet', 'Host: x\r\nExpect: the-best\r\nConnection: close', '417', 'Expectation Failed'],
    ['no Host', 'Connection: close', '400', 'Bad Request'],
  ])('also for %s', async (_, headers, status, type) => {
    const answer = await raw(`POST /v1/customer/${APP} HTTP/1.1\r\n${headers}\r\nContent-Length: 0\r\n\r\n`)
    expect(answer).toContain(`HTTP/1.1 ${status} `)
    const { error } = JSON.parse(answer.slice(answer.indexOf('{'))) as { error: { type: string } }
    expect(error.type).toBe(type)
    expect(answer).toContain('rel="help"')
  }) // prettier-ignore

  it('takes a request of HTTP/1.0 without Host', async () => {
    const answer = await raw('GET /openapi.json HTTP/1.0\r\n\r\n')
    expect(answer).toContain('200 OK')
  })
})
