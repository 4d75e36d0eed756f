import type { RequestHandler } from 'express'
import type { Keyring } from '@relay/shared/config/secret.js'
import { RefusedError } from './answer.js'

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
