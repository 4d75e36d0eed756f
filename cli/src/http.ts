import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

export interface HttpAnswer {
  readonly status: number
  readonly text: string
  readonly headers: IncomingHttpHeaders
}

export interface HttpCall {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly timeoutMs: number
  /** Of https: authorities instead of the system's, PEM; the certificate is verified in any case. */
  readonly tls?: { readonly ca: string | null }
}

/** Sends one HTTP request and reads the answer; rejects on network faults. Does not follow redirects. */
export function callHttp({
  method,
  url,
  headers,
  body,
  timeoutMs,
  tls,
}: HttpCall): Promise<HttpAnswer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    // Node frames no body of a DELETE by itself.
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const framed = { ...headers, ...length }
    const trust = tls && { rejectUnauthorized: true, ...(tls.ca !== null && { ca: tls.ca }) }
    const options = { method, headers: framed, timeout: timeoutMs, agent: false, ...trust }
    const outgoing = request(url, options)
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const { statusCode: status = 0, headers: answered } = response
      text(response).then((whole) => {
        resolve({ status, text: whole, headers: answered })
      }, reject)
    })
    outgoing.end(body)
  })
}
