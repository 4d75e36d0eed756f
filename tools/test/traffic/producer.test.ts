import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readOptions } from '../../src/traffic/options.js'
import { Producer } from '../../src/traffic/producer.js'
import { shopElements } from '../../src/traffic/shop.js'

const options = {
  appId: 'SHOP_DEBUG',
  secret: 's3cret',
  rate: 1,
  durationMs: null,
  postsOf: 1,
  seed: 1,
  lane: 'backfill',
} as const

let answer: (request: IncomingMessage, response: ServerResponse) => void
const server = createServer((request, response) => {
  request.resume()
  answer(request, response)
})
let producer: Producer

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  producer = new Producer({ ...options, url: `http://127.0.0.1:${port}` }, 2)
})
afterAll(() => {
  producer.close()
  server.close()
})

const elements = shopElements(3, { seed: 1 })

test('posts as the contract says: path, credentials, lane and key', async () => {
  let seen: IncomingMessage | undefined
  answer = (request, response) => {
    seen = request
    response.end('{}')
  }
  expect(await producer.post(elements, 'key-1')).toEqual({ outcome: 'accepted' })
  expect(seen?.url).toBe('/v1/transition/SHOP_DEBUG')
  expect(seen?.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('SHOP_DEBUG:s3cret').toString('base64')}`,
    'content-type': 'application/json',
    'relay-lane': 'backfill',
    'idempotency-key': 'key-1',
  })
})

test.each([
  [400, {}, { outcome: 'refused', status: 400 }],
  [503, { 'retry-after': '3' }, { outcome: 'unavailable', retryAfterMs: 3_000 }],
  [429, {}, { outcome: 'unavailable', retryAfterMs: 1_000 }],
])('%d is told apart', async (status, headers, expected) => {
  answer = (_, response) => response.writeHead(status, headers).end('no')
  expect(await producer.post(elements, 'key-2')).toMatchObject(expected)
})

test('a broken connection is worth another try', async () => {
  answer = (request) => request.socket.destroy()
  expect(await producer.post(elements, 'key-3')).toMatchObject({ outcome: 'unavailable' })
})

test('a moved intake of npm start is found, a given one comes first, and a closed port is told with its remedy', async () => {
  const args = ['--app-id', 'A', '--secret', 's']
  const urlOf = (more: string[], env = {}) => {
    const read = readOptions([...args, ...more], env, () => ({ PORT: '1' }))
    return 'options' in read ? read.options : null
  }
  expect(urlOf([])?.url).toBe('http://127.0.0.1:1')
  expect(urlOf([], { RELAY_INTAKE_URL: 'http://a:2/' })?.url).toBe('http://a:2')
  expect(urlOf(['--url', 'http://b:3'])?.url).toBe('http://b:3')
  const options = urlOf([])
  if (options === null) throw new Error('no options')
  const producer = new Producer(options, 1)
  const answer = await producer.post([], 'key')
  expect(answer).toMatchObject({
    outcome: 'unavailable',
    reason: expect.stringMatching(
      /ECONNREFUSED.*127\.0\.0\.1:1.*Next: start relay.*--url/,
    ) as string,
  })
  producer.close()
})
