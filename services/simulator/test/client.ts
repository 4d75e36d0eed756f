import { request as httpRequest, Agent, type IncomingHttpHeaders } from 'node:http'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly agent?: Agent
}

/** One HTTP request as it is told, nothing added; rejects when the connection breaks. */
export function call(url: string, { method = 'POST', headers = {}, body = '', agent }: Call = {}) {
  return new Promise<Reply>((resolve, reject) => {
    const options = { method, headers, agent: agent ?? new Agent({ keepAlive: false }) }
    const sent = httpRequest(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export const APP = 'SHOP_DEBUG'
export const KEY = 'k3y'
export const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

export const GOOD_HEADERS = {
  'content-type': 'application/json',
  authorization: basic(`${APP}:${KEY}`),
  'moe-appkey': APP,
}

export const event = (customer: string, n = 0, actions = 1) => ({
  type: 'event',
  customer_id: customer,
  actions: Array.from({ length: actions }, () => ({ action: 'Viewed', attributes: { n } })),
})
export const user = (customer: string, attributes: Record<string, unknown> = { name: 'Jo' }) => ({
  type: 'customer',
  customer_id: customer,
  attributes,
})
export const device = (customer: string) => ({
  type: 'device',
  customer_id: customer,
  device_id: 'dev-1',
  attributes: { platform: 'ANDROID', push_id: 'p-1' },
})

export const bulk = (elements: readonly unknown[]) =>
  JSON.stringify({ type: 'transition', elements })

export function postBulk(url: string, elements: readonly unknown[], extra: Call = {}) {
  const target = `${url}/v1/transition/${APP}`
  return call(target, { headers: GOOD_HEADERS, body: bulk(elements), ...extra })
}
