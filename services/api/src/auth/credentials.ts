/** The credentials of an `Authorization` header, or why there are none; messages are the overview's. */
export type Credentials =
  | { readonly ok: true; readonly user: string; readonly secret: string }
  | { readonly ok: false; readonly type: string; readonly message: string }

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

function missing(message: string, type = 'Authentication required'): Credentials {
  return { ok: false, type, message }
}

/** Reads HTTP Basic (RFC 7617); the secret may contain colons. */
export function readCredentials(header: string | undefined): Credentials {
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
