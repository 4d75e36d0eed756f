import { CommandError, EXIT } from './exit.js'
import { printable } from './render/table.js'
import { call, NO_ANSWER, type Answer } from '@relay/shared/process/http-call.js'
import type { Access } from './settings.js'

/** Timeout, ms; a replay of many letters takes long. */
const TIMEOUT_MS = 600_000
const STATUS = '/admin/workspaces'
/** Timeout of the status, ms: the api answers sooner, also without Redis. */
const STATUS_WITHIN_MS = 15_000

interface ErrorBody {
  readonly error?: { readonly message?: string }
}

/** The operator API of a running relay; every error is a `CommandError` with a remedy. */
export class OperatorApi {
  readonly #access: Access
  readonly #statusWithinMs: number

  constructor(access: Access, statusWithinMs = STATUS_WITHIN_MS) {
    this.#access = access
    this.#statusWithinMs = statusWithinMs
  }

  /** The answer's JSON text, as sent. */
  async text(method: string, path: string, body?: unknown): Promise<string> {
    const { url, token } = this.#access
    const how = {
      method,
      headers: {
        Accept: 'application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      silenceMs: path === STATUS ? this.#statusWithinMs : TIMEOUT_MS,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    const answer = await call(`${url}${path}`, how).catch((error: unknown) => {
      throw unreachable(url, error)
    })
    if (!isOperators(answer, memberOf(`${method} ${path}`))) throw elsewhere(url)
    if (answer.status !== 200) throw refusal(answer, url)
    return answer.body.trimEnd()
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse(await this.text(method, path, body)) as T
  }
}

function unreachable(url: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException
  // What answers does not speak HTTP.
  if (code?.startsWith('HPE_')) return elsewhere(url)
  if (NO_TLS.test(message)) {
    return new CommandError(
      EXIT.unavailable,
      `The port at ${url} does not speak TLS.`,
      `Try http://: --url ${url.replace(/^https:/, 'http:')} or RELAY_ADMIN_URL.`,
    )
  }
  if (message === NO_ANSWER) {
    return new CommandError(
      EXIT.unavailable,
      `The api does not answer at ${url} in time.`,
      'It hangs, or the way to it loses packets: read its log, then restart it. Nothing accepted is lost.',
    )
  }
  return new CommandError(
    EXIT.unavailable,
    `The api does not answer at ${url} (${code ?? message}).`,
    'Start relay (npm start), or set its ops port: --url http://HOST:9464 or RELAY_ADMIN_URL.',
  )
}

/** OpenSSL's words for an answer to its handshake that is no TLS. */
const NO_TLS = /wrong version number|packet length too long|http request/i

/** A member that every answer to a request has; the first that matches counts. */
const MEMBERS: readonly (readonly [RegExp, string])[] = [
  [/^GET \/admin\/workspaces$/, 'workspaces'],
  [/^GET .*\/names$/, 'names'],
  [/^GET .*\/shadow$/, 'budgets'],
  [/\/admin\/workspaces\//, 'app_id'],
  [/^GET \/admin\/dead-letters\//, 'id'],
  [/^GET \/admin\/dead-letters/, 'dead_letters'],
  [/\/admin\/dead-letters/, 'count'],
  [/\/admin\/forget/, 'queued'],
  [/\/admin\/audit/, 'actions'],
  [/\/admin\/requests\//, 'counts'],
]

function memberOf(request: string): string | null {
  return MEMBERS.find(([pattern]) => pattern.test(request))?.[1] ?? null
}

/**
 * Whether an answer can be the operator API's: JSON with the member of its view, or an error without the
 * `status` of MoEngage's envelope, which the intake and the simulator send. A gateway in front may
 * refuse in its own form.
 */
function isOperators({ status, body: text }: Answer, member: string | null): boolean {
  if (status >= 500) return true
  try {
    const body = JSON.parse(text) as unknown
    if (typeof body !== 'object' || body === null) return false
    if (status === 200) return member === null || member in body
    return !('status' in body) && (status !== 404 || 'error' in body)
  } catch {
    return false
  }
}

function elsewhere(url: string): CommandError {
  return new CommandError(
    EXIT.unavailable,
    `${url} is not the ops port of an api: something else answers there.`,
    "Set the api's OPS_PORT (9464 by default): --url http://HOST:9464 or RELAY_ADMIN_URL.",
  )
}

function refusal({ status, body: text }: Answer, url: string): CommandError {
  const message = errorMessage(text) ?? `${url} answered ${status}.`
  switch (status) {
    case 401:
      return new CommandError(
        EXIT.refused,
        'The token is missing or wrong.',
        'Set RELAY_ADMIN_TOKEN in the environment to the token of the api.',
      )
    case 403:
      return new CommandError(EXIT.refused, message)
    case 400:
      return new CommandError(EXIT.usage, message)
    case 404:
      return new CommandError(EXIT.wrong, message)
    case 503:
      return new CommandError(
        EXIT.unavailable,
        message,
        `Find the cause with curl ${url}/readyz or relay check, then try again.`,
      )
    default:
      return new CommandError(EXIT.unavailable, message, 'See the log of the api.')
  }
}

function errorMessage(text: string): string | null {
  try {
    const message = (JSON.parse(text) as ErrorBody).error?.message
    return typeof message === 'string' ? printable(message) : null
  } catch {
    return null
  }
}
