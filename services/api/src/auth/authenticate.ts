import type { Workspace } from '@relay/shared/config/workspace.js'
import type { Refusal } from '../refusal.js'
import type { Keyring } from '@relay/shared/config/secret.js'

export interface AuthRequest {
  /** Every app id that the request names outside its credentials; the first is the path's. */
  readonly appIds: readonly string[]
  readonly authorization: string | undefined
  /** `MOE-APPKEY`, which may be absent. */
  readonly appKey: string | undefined
}

export type AuthOutcome =
  | { readonly ok: true; readonly workspace: Workspace; readonly producer: string }
  | { readonly ok: false; readonly refusal: Refusal }

/** Closes the connection after the answer, so that no caller without credentials keeps one open. */
const CHALLENGE = {
  'WWW-Authenticate': 'Basic realm="relay", charset="UTF-8"',
  Connection: 'close',
}

/**
 * Identifies producer and workspace: 401 for credentials, then 409 for an app id that differs from
 * the user name, then 403 for a producer that is not allowed. Types and messages are the overview's, followed by the remedy.
 */
export function authenticate(
  request: AuthRequest,
  workspaces: (appId: string) => Workspace | undefined,
  producers: Keyring,
): AuthOutcome {
  const credentials = readCredentials(request.authorization)
  if (!credentials.ok) return unauthorized(credentials.message, credentials.type)
  // Both are looked up in any case, so that an unknown user name costs the same.
  const producer = producers.nameOf(credentials.secret)
  const workspace = workspaces(credentials.user)
  // The secret first: a caller without one must not learn which workspaces exist.
  if (producer === null) {
    return unauthorized(
      'App Secret key mismatch. The password is the secret that the operator of relay gave you, not the API key of MoEngage',
    )
  }
  if (workspace === undefined) {
    return unauthorized(
      'Invalid APP_ID used in Authentication Header. relay has no workspace of this name: ask its operator for the app id',
    )
  }
  const { appKey } = request
  const named = appKey === undefined ? request.appIds : [...request.appIds, appKey]
  if (named.some((appId) => appId !== workspace.appId)) {
    const message =
      'App key mismatch in params and authentication. Use the same app id in the path and as user name'
    return { ok: false, refusal: { status: 409, type: 'Authentication Mismatch', message } }
  }
  if (workspace.producers !== null && !workspace.producers.has(producer)) {
    const message = 'This producer may not post to this workspace'
    return { ok: false, refusal: { status: 403, type: 'Forbidden', message } }
  }
  return { ok: true, workspace, producer }
}

/** The producer whose credentials these are, for any workspace. */
export function producerOf(authorization: string | undefined, producers: Keyring): string | null {
  if (authorization === undefined) return null
  const credentials = readCredentials(authorization)
  return credentials.ok ? producers.nameOf(credentials.secret) : null
}

function unauthorized(message: string, type = 'Authentication required'): AuthOutcome {
  return { ok: false, refusal: { status: 401, type, message, headers: CHALLENGE } }
}

/** The credentials of an `Authorization` header, or why there are none; messages are the overview's. */
export type Credentials =
  | { readonly ok: true; readonly user: string; readonly secret: string }
  | { readonly ok: false; readonly type: string; readonly message: string }

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

function missing(message: string, type = 'Authentication required'): Credentials {
  return { ok: false, type, message }
}

/** Reads HTTP Basic (RFC 7617); the secret may contain colons. */
function readCredentials(header: string | undefined): Credentials {
  if (header === undefined) {
    return missing(
      'Authentication Header Required. Send HTTP Basic: user name = app id, password = your producer secret',
      'Authentication Required',
    )
  }
  const [scheme = '', token = '', ...rest] = header.trim().split(/ +/)
  const basic = scheme.toLowerCase() === 'basic'
  if (scheme === '' || (basic && token === '')) return missing('No identity information found')
  if (!basic || rest.length > 0 || !BASE64.test(token)) {
    return missing('Invalid identity information found')
  }
  return readPair(Buffer.from(token, 'base64').toString('utf8'))
}

function readPair(text: string): Credentials {
  const colon = text.indexOf(':')
  const user = colon < 0 ? text : text.slice(0, colon)
  const secret = colon < 0 ? '' : text.slice(colon + 1)
  if (user === '') return missing('APP_KEY missing in the authentication header')
  if (secret === '') return missing('APP_SECRET missing in the authentication header')
  return { ok: true, user, secret }
}
