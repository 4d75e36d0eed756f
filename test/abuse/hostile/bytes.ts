import { basicAuth } from '@relay/shared/process/http-call.js'
import { ADMIN_TOKEN, APP_ID, SECRET } from '../../support/relay.js'

/** Requests as bytes: what a client library would refuse to send has to be sendable here. */

export const PATH = `/v1/transition/${APP_ID}`
export const GOOD_BODY = JSON.stringify({
  type: 'transition',
  elements: [{ type: 'customer', customer_id: 'ann', attributes: { a: 1 } }],
})

export const AUTH = `Authorization: ${basicAuth(APP_ID, SECRET)}`
export const JSON_TYPE = 'Content-Type: application/json'
export const ADMIN = `Authorization: Bearer ${ADMIN_TOKEN}`
const CLOSE = 'Connection: close'

/** A request line and headers, with the empty line after them. */
export function head(line: string, ...headers: readonly string[]): string {
  return [line, 'Host: relay', ...headers, '', ''].join('\r\n')
}

export interface Asked {
  readonly path?: string
  readonly auth?: string
  readonly headers?: readonly string[]
  readonly keepAlive?: true
}

/** An authenticated post of `body` in all its correctness, but for what `asked` changes. */
export function post(body: string | Buffer = GOOD_BODY, asked: Asked = {}): Buffer {
  const { path = PATH, auth = AUTH, headers = [JSON_TYPE], keepAlive } = asked
  const bytes = Buffer.from(body)
  const length = `Content-Length: ${bytes.length}`
  const end = keepAlive ? [] : [CLOSE]
  return Buffer.concat([
    Buffer.from(head(`POST ${path} HTTP/1.1`, auth, length, ...headers, ...end), 'latin1'),
    bytes,
  ])
}

/** An authenticated post with headers and body as given, and nothing computed. */
export function rawPost(headers: readonly string[], rest: string): string {
  return head(`POST ${PATH} HTTP/1.1`, AUTH, JSON_TYPE, CLOSE, ...headers) + rest
}

/** A request without a body. */
export function bare(method: string, path: string, ...headers: readonly string[]): string {
  return head(`${method} ${path} HTTP/1.1`, CLOSE, ...headers)
}

/** One element around `attributes`, given as JSON text. */
export function elementWith(attributes: string): string {
  return `{"type":"transition","elements":[{"type":"customer","customer_id":"ann","attributes":${attributes}}]}`
}
