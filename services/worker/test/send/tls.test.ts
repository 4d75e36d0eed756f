import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { Authority } from '@relay/test/support/tls.js'
import { systemClock } from '@relay/shared/clock.js'
import type { BulkRequest } from '../../src/send/answer.js'
import { HttpSender } from '../../src/send/http-sender.js'

const BODY = Buffer.from('{"type":"transition","elements":[]}')
const cleanups: (() => unknown)[] = []

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

const authority = new Authority('authority of a test')
const { cert, key } = authority.issue('server of a test', [])

async function listen(server: net.Server): Promise<number> {
  cleanups.push(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

async function tlsServer(onConnection: (socket: tls.TLSSocket) => void): Promise<{ port: number }> {
  const server = tls.createServer({ cert, key }, (socket) => {
    cleanups.push(() => socket.destroy())
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.on('tlsClientError', () => undefined)
  return { port: await listen(server) }
}

/** Stands before a TLS server and sees how the TCP connection ends: the error's code, or null. */
async function tcpWitness(target: number): Promise<{ port: number; end: Promise<string | null> }> {
  let ended: (code: string | null) => void = () => undefined
  const end = new Promise<string | null>((resolve) => (ended = resolve))
  const server = net.createServer((socket) => {
    const upstream = net.connect(target, '127.0.0.1')
    upstream.on('error', () => undefined)
    socket.on('error', (error: NodeJS.ErrnoException) => ended(error.code ?? ''))
    socket.on('end', () => ended(null))
    cleanups.push(() => upstream.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  return { port: await listen(server), end }
}

function sender(
  port: number,
  options: { ca?: string; host?: string } = { ca: authority.cert },
): HttpSender {
  const { ca, host = '127.0.0.1' } = options
  const made = new HttpSender({
    baseUrl: `https://${host}:${port}`,
    appId: 'SHOP',
    apiKey: 'k',
    version: '1',
    maxSockets: 2,
    clock: systemClock,
    ...(ca === undefined ? {} : { ca }),
  })
  cleanups.push(() => made.close())
  return made
}

const bulk = (over: Partial<BulkRequest> & { withinMs?: number } = {}): BulkRequest => ({
  body: () => BODY,
  deadlineMonotonicMs: systemClock.monotonicMs() + (over.withinMs ?? 5_000),
  mayFinish: () => true,
  signal: new AbortController().signal,
  ...over,
})

describe('over TLS', () => {
  it('delivers to a trusted host and keeps the connection', async () => {
    let connections = 0
    const { port } = await tlsServer((socket) => {
      connections += 1
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString().endsWith('}'))
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"status":"success"}')
      })
    })
    const https = sender(port)
    const first = await https.attempt(bulk())
    expect(first).toMatchObject({ status: 200, body: '{"status":"success"}' })
    expect(first.timings.connectMs).toBeGreaterThan(0)
    expect(await https.attempt(bulk())).toMatchObject({ status: 200, timings: { connectMs: null } })
    expect(connections).toBe(1)
  })

  it('sends nothing to a host whose certificate is not trusted', async () => {
    const { port } = await tlsServer(() => undefined)
    expect(await sender(port, {}).attempt(bulk())).toMatchObject({
      kind: 'not_sent',
      why: 'certificate',
    })
  })

  it('sends nothing to a host that the certificate does not name', async () => {
    const { port } = await tlsServer(() => undefined)
    const answer = await sender(port, { ca: authority.cert, host: 'localhost' }).attempt(bulk())
    expect(answer).toMatchObject({ kind: 'not_sent', why: 'certificate' })
  })

  it('sends nothing to a server without TLS', async () => {
    const port = await listen(
      net.createServer((socket) => {
        socket.on('error', () => undefined)
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      }),
    )
    expect(await sender(port).attempt(bulk())).toMatchObject({ kind: 'not_sent' })
  })

  it('gives up at the deadline when the handshake hangs', async () => {
    const port = await listen(
      net.createServer((socket) => {
        socket.on('error', () => undefined)
        cleanups.push(() => socket.destroy())
      }),
    )
    const answer = await sender(port).attempt(bulk({ withinMs: 150 }))
    expect(answer).toMatchObject({ kind: 'not_sent', why: 'timeout' })
  })

  it('resets the TCP connection when an attempt ends early', async () => {
    const abort = new AbortController()
    const { port } = await tlsServer((socket) => {
      socket.once('data', () => abort.abort())
    })
    const witness = await tcpWitness(port)
    const answer = await sender(witness.port).attempt(bulk({ signal: abort.signal }))
    expect(answer.kind).not.toBe('response')
    expect(await witness.end).toBe('ECONNRESET')
  })
})
