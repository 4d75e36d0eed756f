import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'

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
}

/** One HTTP request, answer and all; rejects on network faults. Redirects are not followed. */
export function callHttp({ method, url, headers, body, timeoutMs }: HttpCall): Promise<HttpAnswer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    // Node frames no body of a DELETE by itself.
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
    const framed = { ...headers, ...length }
    const outgoing = request(url, { method, headers: framed, timeout: timeoutMs, agent: false })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      readAll(response).then((text) => {
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers })
      }, reject)
    })
    outgoing.end(body)
  })
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
