import { CommandError, EXIT } from '../src/exit.js'
import { accessFrom, intakeUrlFrom } from '../src/settings.js'

const nothing = () => null

function errorOf(act: () => unknown): CommandError {
  try {
    act()
  } catch (error) {
    if (error instanceof CommandError) return error
  }
  throw new Error('no CommandError')
}

it('the intake is looked for at the port of the running npm start', () => {
  const url = (option: string | undefined, env: Record<string, string>) =>
    intakeUrlFrom(option, env, () => ({ PORT: '51080' }))
  expect(url(undefined, {})).toBe('http://127.0.0.1:51080')
  expect(url(undefined, { PORT: '9999' })).toBe('http://127.0.0.1:9999')
  expect(url(undefined, { RELAY_INTAKE_URL: 'https://relay/' })).toBe('https://relay')
  expect(url('http://other:1/', { RELAY_INTAKE_URL: 'https://relay' })).toBe('http://other:1')
  expect(intakeUrlFrom(undefined, {}, nothing)).toBe('http://127.0.0.1:8080')
})

it.each(['foo', 'localhost:9464', 'ftp://x', '', '//x'])(
  '%j is not an address of the api',
  (url) => {
    const { status, message, remedy } = errorOf(() => accessFrom({ url, token: 't' }, {}, nothing))
    expect([status, message]).toEqual([
      EXIT.usage,
      `--url is not an address: ${JSON.stringify(url)}.`,
    ])
    expect(remedy).toContain('http://HOST:9464')
  },
)

it('names where a wrong address comes from', () => {
  const env = { RELAY_ADMIN_URL: 'foo', RELAY_INTAKE_URL: 'bar' }
  expect(errorOf(() => accessFrom({ token: 't' }, env, nothing)).message).toContain(
    'RELAY_ADMIN_URL',
  )
  expect(errorOf(() => intakeUrlFrom(undefined, env, nothing)).message).toContain(
    'RELAY_INTAKE_URL',
  )
  expect(errorOf(() => intakeUrlFrom('x', env, nothing)).message).toContain('--intake-url')
})

it.each(['a\nb', 'schlüssel', 'a\u0000'])(
  'the token %j is named as what cannot be sent',
  (token) => {
    const { status, message } = errorOf(() => accessFrom({ token }, {}, nothing))
    expect([status, message]).toEqual([EXIT.usage, expect.stringContaining('--token')])
    expect(message).not.toContain(token)
    const own = errorOf(() => accessFrom({}, { RELAY_ADMIN_TOKEN: token }, nothing))
    expect(own.message).toContain('the admin token')
  },
)
