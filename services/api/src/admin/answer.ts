import type { Response, RequestHandler } from 'express'
import type { Keyring } from '@relay/shared/config/secret.js'

/** An error answer of the operator API. */
export interface AdminRefusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 500 | 503
  readonly type:
    | 'InvalidRequest'
    | 'Unauthorized'
    | 'Forbidden'
    | 'NotFound'
    | 'MethodNotAllowed'
    | 'TooLarge'
    | 'Unavailable'
    | 'ServerError'
  readonly message: string
  /** The query parameter or body field that is wrong. */
  readonly field?: string
  /** How many letters were processed before it stopped. */
  readonly count?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by handlers; the app answers with it. */
export class RefusedError extends Error {
  readonly refusal: AdminRefusal

  constructor(refusal: AdminRefusal) {
    super(refusal.message)
    this.name = 'RefusedError'
    this.refusal = refusal
  }
}

export function invalid(field: string, message: string): RefusedError {
  return new RefusedError({ status: 400, type: 'InvalidRequest', message, field })
}

export function notFound(message: string): RefusedError {
  return new RefusedError({ status: 404, type: 'NotFound', message })
}

/** `body` is a value, or JSON text that is sent unchanged. */
export function answer(response: Response, status: number, body: unknown): void {
  response.status(status)
  response.set('Cache-Control', 'no-store')
  response.set('Content-Type', 'application/json; charset=utf-8')
  response.end(`${typeof body === 'string' ? body : JSON.stringify(body)}\n`)
}

export function refuse(response: Response, refusal: AdminRefusal): void {
  const { status, type, message, field, count, headers } = refusal
  response.set(headers ?? {})
  answer(response, status, {
    error: {
      type,
      message,
      ...(field === undefined ? {} : { field }),
      ...(count === undefined ? {} : { count }),
    },
  })
}

/** The token of an Authorization header, for any case and white space; null if there is none. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +(.*\S) *$/i.exec(authorization ?? '')?.[1] ?? null
}

/** Accepts only a valid admin token; compares in constant time. */
export function requireToken(operators: () => Keyring): RequestHandler {
  return (request, _response, next) => {
    const tokens = operators()
    if (tokens.isEmpty) {
      throw new RefusedError({
        status: 403,
        type: 'Forbidden',
        message: 'The operator API is closed: set RELAY_ADMIN_TOKEN and start the api again',
      })
    }
    const given = bearerToken(request.headers.authorization)
    if (given === null || tokens.nameOf(given) === null) {
      throw new RefusedError({
        status: 401,
        type: 'Unauthorized',
        message: 'Send Authorization: Bearer with the token of RELAY_ADMIN_TOKEN',
        headers: { 'WWW-Authenticate': 'Bearer realm="relay operator"' },
      })
    }
    next()
  }
}
