import * as http from 'node:http'
import * as https from 'node:https'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<http.IncomingHttpHeaders>
  readonly body: string
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** For the whole answer; without it a call waits as long as the connection lasts. */
  readonly timeoutMs?: number
  /** The longest that nothing is sent or received. */
  readonly silenceMs?: number
  /** Keeps the connection for later calls; without it each call has a new one. */
  readonly agent?: http.Agent
  /** Of https: authorities instead of the system's, PEM; the certificate is verified in any case. */
  readonly tls?: { readonly ca: string | null }
}

/** The message of a call that `silenceMs` ended. */
export const NO_ANSWER = 'no answer in time'

/** One HTTP exchange. Rejects when there is no whole answer in time. Does not follow redirects. */
export function call(
  url: string,
  { method, headers, body, timeoutMs, silenceMs, agent, tls }: Call = {},
): Promise<Answer> {
  const request = url.startsWith('https:') ? https.request : http.request
  const options = {
    ...{ method, agent: agent ?? false, timeout: silenceMs },
    // Node adds no length to a DELETE.
    headers: {
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    signal: timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs),
    ...(tls && { rejectUnauthorized: true, ...(tls.ca !== null && { ca: tls.ca }) }),
  }
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      const { statusCode: status = 0, headers: answered } = response
      text(response).then((whole) => {
        resolve({ status, headers: answered, body: whole })
      }, reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(NO_ANSWER)))
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Credentials as a header has them. */
export const basicAuth = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
