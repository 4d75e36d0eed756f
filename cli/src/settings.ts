import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { secretLines } from '@relay/shared/config/producers.js'
import { isHashed } from '@relay/shared/config/secret.js'
import { readFiles } from '@relay/shared/config/watch-files.js'

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
  return { url: url.replace(/\/+$/, ''), token }
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
export function keptCredentials(folders: readonly string[] = FOLDERS): KeptCredentials {
  return kept('credentials.json', folders) ?? {}
}

/** The settings of an `npm start` that runs with its simulator; null if none does. */
export function runningEnvironment(folders: readonly string[] = FOLDERS): Environment | null {
  return kept('running.json', folders) as Environment | null
}

const FOLDERS: readonly string[] = [process.cwd(), CHECKOUT]

/** The contents of a file of `npm start`; null if it does not exist. */
function kept(file: string, folders: readonly string[]): unknown {
  for (const folder of folders) {
    try {
      return JSON.parse(readFileSync(join(folder, '.relay', file), 'utf8')) as unknown
    } catch {
      // Not here.
    }
  }
  return null
}
