import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { secretLines } from '@relay/shared/config/producers.js'
import { isHashed } from '@relay/shared/config/secret.js'
import { readFiles } from '@relay/shared/config/watch-files.js'
import { CommandError, EXIT } from './exit.js'

export interface GlobalOptions {
  readonly url?: string
  readonly token?: string
  readonly json?: boolean
}

/** Address and token of the operator API. */
export interface Access {
  readonly url: string
  readonly token: string | null
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_URL = 'http://127.0.0.1:9464'
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/** From the options, else the environment, else `npm start`'s files in `.relay/`. */
export function accessFrom(
  options: GlobalOptions,
  env: Environment,
  running: () => Environment | null = runningEnvironment,
): Access {
  const port = env.OPS_PORT ?? running()?.OPS_PORT
  const byPort = port ? `http://127.0.0.1:${port}` : DEFAULT_URL
  const url = options.url ?? env.RELAY_ADMIN_URL ?? byPort
  const token = options.token ?? ownToken(env) ?? keptCredentials().adminToken ?? null
  if (token !== null && !HEADER_TEXT.test(token)) {
    const from = options.token === undefined ? 'the admin token' : '--token'
    throw new CommandError(
      EXIT.usage,
      `A character in ${from} is not printable ASCII, so no request can carry it.`,
      'Check the value for line breaks and copied characters.',
    )
  }
  const from = options.url === undefined ? 'RELAY_ADMIN_URL' : '--url'
  return { url: httpUrl(url, from, 9464), token }
}

const HEADER_TEXT = /^[\x20-\x7e]*$/

/** The address of the intake; the secret of a producer is no part of it. */
export function intakeUrlFrom(
  option: string | undefined,
  env: Environment,
  running: () => Environment | null = runningEnvironment,
): string {
  const port = env.PORT ?? running()?.PORT ?? '8080'
  const url = option ?? env.RELAY_INTAKE_URL ?? `http://127.0.0.1:${port}`
  return httpUrl(url, option === undefined ? 'RELAY_INTAKE_URL' : '--intake-url', 8080)
}

/** Without a slash at its end; an address that no request can be sent to is an error of usage. */
function httpUrl(text: string, from: string, port: number): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' }
  if (protocol === 'http:' || protocol === 'https:') return text.replace(/\/+$/, '')
  throw new CommandError(
    EXIT.usage,
    `${from} is not an address: ${JSON.stringify(text)}.`,
    `Use http://HOST:${port} or https://HOST.`,
  )
}

/** The services' token, unless only its hash is configured. */
function ownToken({ RELAY_ADMIN_TOKEN: token, RELAY_ADMIN_TOKEN_FILE: file }: Environment) {
  const [text = null] = file ? readFiles([file]) : []
  const tokens = file ? secretLines(text ?? '') : [token ?? '']
  return tokens.find((candidate) => candidate !== '' && !isHashed(candidate))
}

export interface KeptCredentials {
  readonly adminToken?: string
  readonly producerSecret?: string
}

/** The token that `npm start` created, if it has run in this folder or in the checkout. */
export function keptCredentials(): KeptCredentials {
  return kept('credentials.json') ?? {}
}

/** The settings of an `npm start` that runs with its simulator; null if none does. */
export function runningEnvironment(): Environment | null {
  return kept('running.json') as Environment | null
}

/** The contents of a file of `npm start`; null if it does not exist. */
function kept(file: string): unknown {
  for (const folder of [process.cwd(), CHECKOUT]) {
    try {
      return JSON.parse(readFileSync(join(folder, '.relay', file), 'utf8')) as unknown
    } catch {
      // Not here.
    }
  }
  return null
}
