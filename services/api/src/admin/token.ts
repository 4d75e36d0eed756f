import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import { RefusedError } from './answer.js'

/** Lets only the holder of the admin token pass; compares in a time that tells nothing. */
export function requireToken(token: string | null): RequestHandler {
  const expected = token === null ? null : digest(token)
  return (request, _response, next) => {
    if (expected === null) {
      throw new RefusedError({
        status: 403,
        type: 'Forbidden',
        message: 'The operator API is closed: set RELAY_ADMIN_TOKEN and start the api again',
      })
    }
    const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (given === undefined || !timingSafeEqual(digest(given), expected)) {
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

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
