import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { systemClock } from '@relay/shared/clock.js'
import type { Answer, BulkRequest } from '../../src/send/answer.js'
import { MAX_CONNECTION_AGE_MS } from '../../src/send/connections.js'
import { HttpSender, type HttpSenderOptions } from '../../src/send/http-sender.js'

const BODY = Buffer.from('{"type":"transition","elements":[{"type":"event"}]}')
const SUCCESS = '{"status":"success"}'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function senderFor(
  port: number,
  maxSockets = 4,
  path = '',
  over: Partial<HttpSenderOptions> = {},
): HttpSender {
  const sender = new HttpSender({
    baseUrl: `http://127.0.0.1:${port}${path}`,
    appId: 'SHOP',
    apiKey: 'sécret:with:colons',
    version: '9.9.9',
    maxSockets,
    clock: systemClock,
    ...over,
  })
  cleanups.push(() => sender.close())
  return sender
}

function bulk(over: Partial<BulkRequest> & { withinMs?: number } = {}): BulkRequest {
  return {
    body: () => BODY,
    deadlineMonotonicMs: systemClock.monotonicMs() + (over.withinMs ?? 5_000),
    mayFinish: () => true,
    signal: new AbortController().signal,
    ...over,
  }
}

async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

async function httpServer(handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler)
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return listen(server)
}

/** A server that speaks raw bytes; `arrived` holds what each connection received. */
async function rawServer(
  onConnection: (socket: net.Socket) => void,
): Promise<{ port: number; arrived: Buffer[]; closed: Promise<unknown> }> {
  const arrived: Buffer[] = []
  const sockets = new Set<net.Socket>()
  let seen: (value: unknown) => void = () => undefined
  const closed = new Promise((resolve) => (seen = resolve))
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', seen)
    onConnection(socket)
    socket.on('data', (chunk) => arrived.push(chunk))
  })
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: await listen(server), arrived, closed }
}

/** Answers each connection's first bytes with `text`, and leaves it open. */
const replying =
  (text: string) =>
  (socket: net.Socket): void => {
    let got = ''
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1')
      if (got.endsWith(BODY.toString())) socket.write(text)
    })
  }

const response = (body: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

function expectResponse(answer: Answer): Extract<Answer, { kind: 'response' }> {
  if (answer.kind !== 'response') throw new Error(`expected a response, got ${answer.kind}`)
  return answer
}

describe('a request', () => {
  it('is exactly what the contract says', async () => {
    const seen: { line: string; headers: http.IncomingHttpHeaders; body: string }[] = []
    const port = await httpServer((req, res) => {
      let body = ''
      req.setEncoding('utf8')
      req.on('data', (chunk: string) => (body += chunk))
      req.on('end', () => {
        seen.push({ line: `${req.method ?? ''} ${req.url ?? ''}`, headers: req.headers, body })
        res.end(SUCCESS)
      })
    })
    const answer = expectResponse(await senderFor(port, 4, '/base').attempt(bulk()))
    expect(answer).toMatchObject({ status: 200, body: SUCCESS, truncated: false })
    expect(answer.requestComplete).toBe(true)
    expect(seen).toEqual([
      {
        line: 'POST /base/v1/transition/SHOP',
        body: BODY.toString(),
        headers: {
          host: `127.0.0.1:${port}`,
          authorization: `Basic ${Buffer.from('SHOP:sécret:with:colons').toString('base64')}`,
          'moe-appkey': 'SHOP',
          'content-type': 'application/json',
          'user-agent': 'relay/9.9.9',
          'content-length': String(BODY.length),
          connection: 'keep-alive',
        },
      },
    ])
  })

  it('names the project of its elements, and the address that an allow-list expects', async () => {
    const seen: [string | undefined, unknown][] = []
    const port = await httpServer((req, res) => {
      req.resume().on('end', () => {
        seen.push([req.url, req.headers['x-forwarded-for']])
        res.end(SUCCESS)
      })
    })
    const sender = senderFor(port, 4, '', { forwardedFor: '203.0.113.7' })
    await sender.attempt(bulk({ projectCode: 'größe & co?' }))
    await sender.attempt(bulk())
    expect(seen).toEqual([
      ['/v1/transition/SHOP?project_code=gr%C3%B6%C3%9Fe%20%26%20co%3F', '203.0.113.7'],
      ['/v1/transition/SHOP', '203.0.113.7'],
    ])
  })

  it('takes a new connection once the kept one is old: the addresses of MoEngage change', async () => {
    let connections = 0
    const { port } = await rawServer((socket) => {
      connections += 1
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1').endsWith('}')) socket.write(response(SUCCESS))
      })
    })
    const clock = { ...systemClock, aheadMs: 0, nowMs: () => systemClock.nowMs() }
    const monotonicMs = (): number => systemClock.monotonicMs() + clock.aheadMs
    const sender = senderFor(port, 4, '', { clock: { nowMs: clock.nowMs, monotonicMs } })
    const attempt = () => sender.attempt(bulk({ deadlineMonotonicMs: monotonicMs() + 5_000 }))
    await attempt()
    clock.aheadMs = MAX_CONNECTION_AGE_MS - 1_000
    await attempt()
    expect(connections).toBe(1)
    clock.aheadMs = MAX_CONNECTION_AGE_MS
    await attempt()
    await attempt()
    expect(connections).toBe(2)
  })

  it('uses a kept connection again, and only as many as are needed', async () => {
    let connections = 0
    const { port } = await rawServer((socket) => {
      connections += 1
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1').endsWith('}')) socket.write(response(SUCCESS))
      })
    })
    const sender = senderFor(port)
    const first = await sender.attempt(bulk())
    const second = await sender.attempt(bulk())
    expect([first.kind, second.kind, connections]).toEqual(['response', 'response', 1])
    expect(first.timings.connectMs).not.toBeNull()
    expect(second.timings.connectMs).toBeNull()
  })

  it('is refused as busy when every connection is taken', async () => {
    const { port } = await rawServer(() => undefined)
    const sender = senderFor(port, 1)
    const abort = new AbortController()
    const first = sender.attempt(bulk({ signal: abort.signal }))
    expect(await sender.attempt(bulk())).toMatchObject({ kind: 'not_sent', why: 'busy' })
    abort.abort()
    expect((await first).kind).not.toBe('response')
  })

  it('never follows a redirect', async () => {
    let requests = 0
    const port = await httpServer((_req, res) => {
      requests += 1
      res.writeHead(307, { Location: '/elsewhere' }).end()
    })
    expect(await senderFor(port).attempt(bulk())).toMatchObject({ kind: 'response', status: 307 })
    expect(requests).toBe(1)
  })
})

describe('the held-back end of a body', () => {
  it('never leaves when the last check says no: the server sees an incomplete body and a reset', async () => {
    const server = await rawServer(() => undefined)
    let asked = 0
    const answer = await senderFor(server.port).attempt(
      bulk({
        mayFinish: () => {
          asked += 1
          return false
        },
      }),
    )
    await server.closed
    expect(answer).toMatchObject({ kind: 'not_sent', why: 'disallowed' })
    expect(asked).toBe(1)
    const text = Buffer.concat(server.arrived).toString('latin1')
    expect(text === '' || text.endsWith(BODY.subarray(0, -1).toString())).toBe(true)
  })

  it('counts a check that throws as a no', async () => {
    const { port } = await rawServer(() => undefined)
    const mayFinish = (): boolean => {
      throw new Error('lease unknown')
    }
    expect(await senderFor(port).attempt(bulk({ mayFinish }))).toMatchObject({ why: 'disallowed' })
  })

  it('waits for the kernel: a peer that does not read is never asked about', async () => {
    const { port } = await rawServer((socket) => socket.pause())
    let asked = 0
    const answer = await senderFor(port).attempt(
      bulk({ body: () => Buffer.alloc(64 << 20, 32), withinMs: 400, mayFinish: () => ++asked > 0 }),
    )
    expect(answer).toMatchObject({ kind: 'not_sent', why: 'timeout' })
    expect(asked).toBe(0)
  })

  it('is not sent after an answer that came early; a refusal still counts as one', async () => {
    let arrived = ''
    const { port, closed } = await rawServer((socket) => {
      socket.write(response('{"status":"fail"}', '401 Unauthorized'))
      socket.on('data', (chunk) => (arrived += chunk.toString('latin1')))
    })
    const answer = await senderFor(port).attempt(bulk({ body: () => Buffer.alloc(32 << 20, 32) }))
    await closed
    expect(answer).toMatchObject({ kind: 'response', status: 401, requestComplete: false })
    expect(arrived.length).toBeLessThan(32 << 20)
  })
})

describe('an attempt without an answer', () => {
  it.each([
    ['nothing listens', 'refused'],
    ['the host does not exist', 'unresolvable'],
  ])('%s: not sent', async (_name, why) => {
    const server = net.createServer()
    const port = await listen(server)
    server.close()
    await once(server, 'close')
    const host = why === 'refused' ? '127.0.0.1' : 'no-such-host.invalid'
    const sender = new HttpSender({
      baseUrl: `http://${host}:${port}`,
      appId: 'SHOP',
      apiKey: 'k',
      version: '1',
      maxSockets: 1,
      clock: systemClock,
    })
    expect(await sender.attempt(bulk())).toMatchObject({ kind: 'not_sent', why })
  })

  it('is unknown when the server hangs, and ends at the deadline with a reset', async () => {
    const server = await rawServer(() => undefined)
    const answer = await senderFor(server.port).attempt(bulk({ withinMs: 150 }))
    expect(answer).toMatchObject({ kind: 'unknown', why: 'timeout' })
    expect(answer.timings.totalMs).toBeLessThan(2_000)
    await server.closed
    expect(Buffer.concat(server.arrived).toString()).toContain(BODY.toString())
  })

  it('is read when it had arrived before the deadline, but the process stalled across it', async () => {
    const deadlineMonotonicMs = systemClock.monotonicMs() + 150
    const { port } = await rawServer((socket) => {
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1')
        if (!got.endsWith(BODY.toString())) return
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
        // Timers come before reading in the turn that follows.
        setImmediate(() => {
          while (systemClock.monotonicMs() < deadlineMonotonicMs + 20);
        })
      })
    })
    const answer = await senderFor(port).attempt(bulk({ deadlineMonotonicMs }))
    expect(answer).toMatchObject({ kind: 'response', status: 200, truncated: false })
  })

  it('is unknown when the connection is cut after the body', async () => {
    const { port } = await rawServer((socket) => socket.on('data', () => socket.resetAndDestroy()))
    const answer = await senderFor(port).attempt(bulk())
    expect(['unknown', 'not_sent']).toContain(answer.kind)
    const whole = await rawServer((socket) => {
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1')
        if (got.endsWith(BODY.toString())) socket.resetAndDestroy()
      })
    })
    expect(await senderFor(whole.port).attempt(bulk())).toMatchObject({
      kind: 'unknown',
      why: 'reset',
    })
  })

  it('is unknown when a kept connection turns out stale after the body was written', async () => {
    let requests = 0
    const { port } = await rawServer((socket) => {
      socket.on('data', (chunk) => {
        if (!chunk.toString('latin1').endsWith('}')) return
        requests += 1
        if (requests === 1) socket.write(response(SUCCESS))
        else socket.resetAndDestroy()
      })
    })
    const sender = senderFor(port)
    expect((await sender.attempt(bulk())).kind).toBe('response')
    expect(await sender.attempt(bulk())).toMatchObject({ kind: 'unknown', why: 'reset' })
  })

  it('is unknown when the server half-closes without a word', async () => {
    const { port } = await rawServer((socket) => {
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1')
        if (got.endsWith(BODY.toString())) socket.end()
      })
    })
    expect(await senderFor(port).attempt(bulk())).toMatchObject({ kind: 'unknown' })
  })

  it('is unknown if the answer is not HTTP', async () => {
    const { port } = await rawServer(replying('220 smtp.example.com ESMTP\r\n'))
    expect(await senderFor(port).attempt(bulk())).toMatchObject({ kind: 'unknown', why: 'garbage' })
  })

  it('is unknown when the server switches protocols', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'
    const { port } = await rawServer(replying(upgrade))
    expect((await senderFor(port).attempt(bulk())).kind).toBe('unknown')
  })
})

describe('an answer', () => {
  it('is found behind any number of interim ones', async () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'
    const { port } = await rawServer(replying(interim + response(SUCCESS)))
    expect(await senderFor(port).attempt(bulk())).toMatchObject({ status: 200, body: SUCCESS })
  })

  it('that no one asked for never counts for the next request', async () => {
    let connections = 0
    const { port } = await rawServer((socket) => {
      connections += 1
      if (connections === 1) replying(response(SUCCESS) + response(SUCCESS))(socket)
    })
    const sender = senderFor(port)
    expect(await sender.attempt(bulk())).toMatchObject({ status: 200, requestComplete: true })
    const next = await sender.attempt(bulk({ withinMs: 150 }))
    expect(next.kind === 'response' && next.requestComplete).toBe(false)
  })

  it('that comes unasked on an idle connection never counts for the next request', async () => {
    let pushed: () => void = () => undefined
    const push = new Promise<void>((resolve) => (pushed = resolve))
    let answered = false
    const { port } = await rawServer((socket) => {
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk.toString('latin1')
        if (answered || !got.endsWith(BODY.toString())) return
        answered = true
        socket.write(response(SUCCESS))
        setImmediate(() => socket.write(response(SUCCESS), pushed))
      })
    })
    const sender = senderFor(port)
    expect((await sender.attempt(bulk())).kind).toBe('response')
    await push
    const next = await sender.attempt(bulk({ withinMs: 150 }))
    expect(next.kind === 'response' && next.requestComplete).toBe(false)
  })

  it('that drips slowly is cut at the total deadline, with its status kept', async () => {
    const { port } = await rawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 1000000\r\n\r\n')
        const drip = setInterval(() => socket.write(' '), 20)
        socket.on('close', () => clearInterval(drip))
      })
    })
    const answer = expectResponse(await senderFor(port).attempt(bulk({ withinMs: 200 })))
    expect(answer).toMatchObject({ status: 429, truncated: true, headers: { retryAfter: '7' } })
    expect(answer.timings.totalMs).toBeLessThan(2_000)
  })

  it('that is huge is read up to 64 KiB', async () => {
    const port = await httpServer((req, res) => {
      req.resume()
      req.on('end', () => res.end('x'.repeat(5_000_000)))
    })
    const answer = expectResponse(await senderFor(port).attempt(bulk()))
    expect(answer).toMatchObject({ status: 200, truncated: true })
    expect(answer.body).toHaveLength(65_536)
  })

  it('that ends before its length is truncated', async () => {
    const { port } = await rawServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"sta'))
    })
    expect(await senderFor(port).attempt(bulk())).toMatchObject({
      kind: 'response',
      body: '{"sta',
      truncated: true,
    })
  })

  it('that is not UTF-8 is decoded without failing', async () => {
    const port = await httpServer((req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(502).end(Buffer.from([0xff, 0xfe, 0x41])))
    })
    expect(await senderFor(port).attempt(bulk())).toMatchObject({
      status: 502,
      body: '\ufffd\ufffdA',
    })
  })
})

describe('stopping', () => {
  it('by signal resets the socket at once', async () => {
    const abort = new AbortController()
    const server = await rawServer((socket) => {
      socket.once('data', () => abort.abort())
    })
    const answer = await senderFor(server.port).attempt(bulk({ signal: abort.signal }))
    expect(answer.kind === 'unknown' || answer.kind === 'not_sent').toBe(true)
    expect(answer).toMatchObject({ why: 'aborted' })
    await server.closed
  })

  it('before the start sends nothing', async () => {
    const sender = senderFor(1)
    const expired = await sender.attempt(bulk({ withinMs: 0 }))
    const aborted = await sender.attempt(bulk({ signal: AbortSignal.abort() }))
    sender.close()
    const closed = await sender.attempt(bulk())
    expect([expired, aborted, closed]).toMatchObject([
      { kind: 'not_sent', why: 'expired' },
      { kind: 'not_sent', why: 'aborted' },
      { kind: 'not_sent', why: 'closed' },
    ])
  })

  it('by close ends what is in progress', async () => {
    const server = await rawServer((socket) => {
      socket.once('data', () => sender.close())
    })
    const sender = senderFor(server.port)
    expect((await sender.attempt(bulk())).kind).not.toBe('response')
    await server.closed
  })
})
