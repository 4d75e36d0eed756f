import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Clock } from '@relay/shared/clock.js'
import type { Keyring } from '@relay/shared/config/secret.js'

/** Where the cookie is sent to, and nowhere else. */
export const QUEUES_PATH = '/console/queues'
const COOKIE = 'relay_queues'
/** The board's own requests carry no token, so they carry this; then one asks the console again. */
export const SESSION_SECONDS = 3_600

/**
 * A session of the queue view: a cookie that scripts cannot read and other sites cannot send. It
 * says until when it is valid, signed with a key made of the admin token: nothing is stored, every
 * api with the token knows it, and it ends when its token is taken away.
 */
export class QueueSession {
  readonly #operators: () => Keyring
  readonly #clock: Clock

  constructor(operators: () => Keyring, clock: Clock) {
    this.#operators = operators
    this.#clock = clock
  }

  /** Value of `Set-Cookie` that begins a session. Null: there is no admin token, so no session. */
  begin(isSecure: boolean): string | null {
    const [key] = this.#operators().signingKeys
    if (key === undefined) return null
    const until = String(this.#clock.nowMs() + SESSION_SECONDS * 1_000)
    return cookie(`${until}.${sign(key, until).toString('base64url')}`, SESSION_SECONDS, isSecure)
  }

  /** Value of `Set-Cookie` that ends it in this browser. */
  end(isSecure: boolean): string {
    return cookie('', 0, isSecure)
  }

  isValid(cookieHeader: string | undefined): boolean {
    const [until = '', signature = ''] = valueOf(cookieHeader).split('.')
    const given = Buffer.from(signature, 'base64url')
    const isSignedWith = (key: Buffer): boolean => {
      const expected = sign(key, until)
      // Unequal lengths tell nothing: a signature's length is known.
      return given.length === expected.length && timingSafeEqual(given, expected)
    }
    const isSigned = this.#operators().signingKeys.some(isSignedWith)
    return isSigned && Number(until) > this.#clock.nowMs()
  }

  /** Lets only a session pass. A person is led to the console to sign in, a script is answered 401. */
  readonly require: RequestHandler = (request, response, next) => {
    if (this.isValid(request.headers.cookie)) {
      next()
      return
    }
    if (request.accepts(['json', 'html']) === 'html') response.redirect(303, '/#/queues')
    else response.status(401).json({ error: 'Sign in to the console again' })
  }
}

function sign(key: Buffer, until: string): Buffer {
  return createHmac('sha256', key).update(`queue view until ${until}`).digest()
}

function cookie(value: string, maxAgeS: number, isSecure: boolean): string {
  const base = `${COOKIE}=${value}; Path=${QUEUES_PATH}; Max-Age=${String(maxAgeS)}`
  return `${base}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

function valueOf(header = ''): string {
  const found = header.split(/; */).find((pair) => pair.startsWith(`${COOKIE}=`))
  return found?.slice(COOKIE.length + 1) ?? ''
}
