import { get, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Gauge, Registry } from 'prom-client'
import { createOpsServer } from '@relay/shared/observability/ops-server.js'

let served: number
let rendered: number
let render: () => Promise<void>
let server: Server
const port = () => (server.address() as AddressInfo).port

beforeEach(async () => {
  served = 0
  rendered = 0
  render = () => Promise.resolve()
  const registry = new Registry()
  const gauge = new Gauge({
    name: 'rendered',
    help: 'Times that the page was rendered.',
    registers: [registry],
    collect: async () => {
      gauge.set(++rendered)
      await render()
    },
  })
  server = createOpsServer({
    registry,
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    fallback: (_request, response) => {
      served++
      setImmediate(() => response.writeHead(401).end())
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function page(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port: port(), host: '127.0.0.1', path, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => { resolve(text) }) // prettier-ignore
    }).on('error', reject)
  })
}

function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined).resume()
  return new Promise((resolve) => socket.once('close', () => { resolve() })) // prettier-ignore
}

const request = (path: string, header = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${header}\r\n`

describe('the operators’ port', () => {
  it.each([
    ['/admin/workspaces', ''],
    ['/admin/workspaces', 'Expect: y\r\n'],
    ['/metrics', ''],
  ])('closes a connection at the second of 500 pipelined GET %s %s', async (path, header) => {
    const parsed = new Promise<number>((resolve) => {
      server.once('clientError', (error: Error & { bytesParsed?: number }, socket) => {
        socket.destroy()
        resolve(error.bytesParsed ?? Infinity)
      })
    })
    const socket = connect(port(), '127.0.0.1')
    const one = request(path, header)
    socket.write(one.repeat(500))
    await closed(socket)
    expect(await parsed).toBeLessThanOrEqual(2 * one.length)
    expect(served).toBeLessThanOrEqual(1)
    expect(rendered).toBeLessThanOrEqual(1)
  })

  it('answers requests on one connection that wait for each other', async () => {
    const socket = connect(port(), '127.0.0.1')
    for (let i = 1; i <= 5; i++) {
      const answered = new Promise((resolve) => socket.once('data', resolve))
      socket.write(request('/admin/workspaces'))
      await answered
      expect(served).toBe(i)
    }
    socket.destroy()
  })

  it('renders the metrics once for all that wait, and never from before a request', async () => {
    let release: () => void = () => undefined
    render = () => new Promise((resolve) => (release = resolve))
    const first = page('/metrics')
    while (rendered === 0) await new Promise((resolve) => setImmediate(resolve))
    render = () => Promise.resolve()
    let asked = 0
    const allAsked = new Promise<void>((resolve) => {
      server.on('request', () => {
        if (++asked === 50) resolve()
      })
    })
    const others = Array.from({ length: 50 }, () => page('/metrics'))
    await allAsked
    release()
    expect(await first).toContain('\nrendered 1\n')
    for (const text of await Promise.all(others)) expect(text).toContain('\nrendered 2\n')
  })

  it('closes the oldest connection for one over 500, so that probes are answered', async () => {
    const sockets: Socket[] = []
    for (let i = 0; i < 500; i++) {
      const accepted = new Promise((resolve) => server.once('connection', resolve))
      sockets.push(connect(port(), '127.0.0.1'))
      await accepted
    }
    const [oldest] = sockets
    if (oldest === undefined) throw new Error('no socket')
    const gone = closed(oldest)
    expect(await page('/healthz')).toContain('"status":"ok"')
    await gone
    for (const socket of sockets) socket.destroy()
  })
})

test('a worker’s port tells a producer where to post', async () => {
  const worker = createOpsServer({
    registry: new Registry(),
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
  })
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve))
  const { port: own } = worker.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${own}/v1/customer/APP`, { method: 'POST' })
  expect([answer.status, await answer.text()]).toEqual([
    404,
    expect.stringContaining('Producers post to the intake'),
  ])
  worker.closeAllConnections()
  await new Promise((resolve) => worker.close(resolve))
})
