import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createIntakeServer, TIMEOUTS } from '../../src/http/server.js'
import { markAuthenticated } from '../../src/http/unauthenticated-connections.js'
import { CountingRandom, FixedClock } from '../support/doubles.js'
import { APP, basic, TestIntake, workspace } from '../support/intake.js'

const PATIENCE = { ...TIMEOUTS, headersMs: 150, checkMs: 20 }
const AUTH_HEADER = basic(APP, 's3cret')
const AUTH = `Authorization: ${AUTH_HEADER}\r\nContent-Type: application/json\r\n`

/** Eight such answers are 32 MiB, without their headers. */
const LARGE = Buffer.alloc(4 * 1_048_576 - 1_024)

const producerOf = ({ headers }: IncomingMessage) =>
  headers.authorization === AUTH_HEADER ? 'crm' : null

/** What a raw connection gets back until the other side closes it. */
function exchange(port: number, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => { resolve(text) }) // prettier-ignore
    for (const part of parts) socket.write(part)
  })
}

describe('a caller that does not behave', () => {
  const intake = new TestIntake([workspace(APP)], {
    maxRequestBytes: 1_000,
    maxHeldBytes: 1_500,
    bodyMs: 300,
  })
  const impatient: Server = createIntakeServer(
    intake.server.listeners('request')[0] as RequestListener,
    { clock: new FixedClock(0), random: new CountingRandom(), producerOf, timeouts: PATIENCE },
  )
  const port = () => (impatient.address() as AddressInfo).port

  beforeAll(async () => {
    await intake.start()
    await new Promise<void>((resolve) => impatient.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await intake.stop()
    impatient.closeAllConnections()
    await new Promise((resolve) => impatient.close(resolve))
  })

  it('never ends its headers: 408, and the connection is closed', async () => {
    const text = await exchange(port(), `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n`)
    expect(text).toMatch(/^HTTP\/1.1 408 /)
    expect(text).toContain('"status":"fail"')
  })

  it('drips its body: 408, and nothing is stored', async () => {
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 100\r\n\r\n`
    const text = await exchange(port(), head, '{"type"')
    expect(text).toMatch(/^HTTP\/1.1 408 /)
    expect(intake.store.take()).toEqual([])
  })

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['both lengths', `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ['a blank before a colon', `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\nX-B : d\r\n\r\n`],
  ])('smuggles or speaks %s: 400 with a request id, and the connection is closed', async (_, raw) => {
    const text = await exchange(port(), raw)
    expect(text).toMatch(/^HTTP\/1.1 400 /)
    expect(text).toMatch(/"request_id":"[0-9A-Z]{26}"/)
    expect(intake.store.take()).toEqual([])
  }) // prettier-ignore

  it('sends without end in chunks: 413 at the limit, while it is still sending', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        authorization: basic(APP, 's3cret'),
        'content-type': 'application/json',
        'transfer-encoding': 'chunked',
      }
      const path = `/v1/customer/${APP}`
      const options = { host: '127.0.0.1', port: intake.port, method: 'POST', path, headers }
      const request = httpRequest({ ...options, agent: false }, (response) => {
        resolve(response.statusCode)
        request.destroy()
      })
      request.on('error', reject)
      request.write('x'.repeat(2_000))
    })
    expect(status).toBe(413)
  })

  it('sends too much and wants the connection closed: it can send all of it, and reads its 413', async () => {
    const size = 4_000_000
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: ${size}\r\nConnection: close\r\n\r\n`
    const socket = connect(intake.port, '127.0.0.1')
    let text = ''
    const closed = new Promise<string>((resolve) => {
      socket.once('error', ({ message }) => { resolve(message) }) // prettier-ignore
      socket.once('close', () => { resolve('closed') }) // prettier-ignore
    })
    const answered = new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        text += chunk.toString()
        resolve()
      }),
    )
    socket.write(head)
    await answered
    socket.write(Buffer.alloc(size, 'x'))
    expect(await closed).toBe('closed')
    expect(text).toMatch(/^HTTP\/1.1 413 /)
  })

  it('goes away in the middle of its body: its memory is given back', async () => {
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 900\r\n\r\n`
    for (let i = 0; i < 5; i++) {
      const socket = connect(intake.port, '127.0.0.1')
      await new Promise((resolve) => socket.write(head + 'x'.repeat(800), resolve))
      const closed = new Promise((resolve) => intake.server.once('connection', resolve))
      socket.destroy()
      // The next caller is served as if nothing had been.
      const answer = await intake.send({ path: `/v1/customer/${APP}`, body: '{"type":"customer","customer_id":"ann"}' }) // prettier-ignore
      expect([200, 503]).toContain(answer.status)
      await closed
    }
    const whole = `{"type":"customer","customer_id":"ann","attributes":{"a":"${'x'.repeat(900)}"}}`
    let answer = await intake.send({ path: `/v1/customer/${APP}`, body: whole })
    for (let i = 0; i < 50 && answer.status === 503; i++) {
      answer = await intake.send({ path: `/v1/customer/${APP}`, body: whole })
    }
    expect(answer.status).toBe(200)
  })

  it('half-closes behind its post: it is answered all the same', async () => {
    intake.store.take()
    const body = '{"type":"customer","customer_id":"ann"}'
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: ${body.length}\r\n\r\n`
    const text = await new Promise<string>((resolve) => {
      const socket = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true })
      let heard = ''
      socket.on('data', (chunk) => (heard += chunk.toString()))
      socket.on('end', () => { resolve(heard) }) // prettier-ignore
      socket.end(head + body)
    })
    expect(text).toMatch(/^HTTP\/1.1 200 /)
    expect(intake.store.take()).toEqual([body])
  })

  it('sends garbage behind whole posts: they are answered, and nothing else is', async () => {
    const body = '{"type":"customer","customer_id":"ann"}'
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: ${body.length}\r\n\r\n`
    intake.store.take()
    const text = await exchange(port(), (head + body).repeat(3) + 'no HTTP\r\n\r\n')
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '200', '200']) // prettier-ignore
    expect(intake.store.take()).toEqual([body, body, body])
  })

  it('pipelines 50 posts on a new connection: all are answered if it has credentials, none otherwise', async () => {
    const body = '{"type":"customer","customer_id":"ann"}'
    const pipelined = async (auth: string) => {
      const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: ${body.length}\r\n`
      const text = await exchange(
        intake.port,
        `${head}\r\n${body}`.repeat(49) + `${head}Connection: close\r\n\r\n${body}`,
      )
      return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    }
    intake.store.take()
    expect(await pipelined(AUTH)).toEqual(Array.from({ length: 50 }, () => '200'))
    expect(intake.store.take()).toHaveLength(50)
    expect(await pipelined(AUTH.replace(basic(APP, 's3cret'), basic(APP, 'wrong')))).toEqual([])
    expect(intake.store.take()).toEqual([])
  })

  it('is not authenticated: its body is not read before the answer', async () => {
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n`
    const text = await exchange(port(), head)
    expect(text).toMatch(/^HTTP\/1.1 401 /)
  })
})

describe('a producer that wants all there is', () => {
  const intake = new TestIntake([workspace(APP)], {
    maxRequestBytes: 1_000,
    maxHeldBytes: 2_400,
    maxPostsPerProducer: 3,
    placeWaitMs: 50,
    maxConnectionsPerProducer: 4,
  })
  const sockets: Socket[] = []

  beforeAll(() => intake.start())
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
  })
  afterAll(() => intake.stop())

  /** The beginning of a post that is not ended, once it was read; what was answered until then. */
  async function begin(bytes: number): Promise<string> {
    const head = `POST /v1/customer/${APP} HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 990\r\nExpect: 100-continue\r\n\r\n`
    const socket = connect(intake.port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    const said = new Promise<void>((resolve) =>
      socket.on('data', (chunk) => {
        text += chunk.toString()
        resolve()
      }),
    )
    socket.write(head)
    await said
    if (bytes > 0) await new Promise((resolve) => socket.write('x'.repeat(bytes), resolve))
    return text
  }

  const post = (secret: string) =>
    intake.send({
      path: `/v1/customer/${APP}`,
      headers: { authorization: basic(APP, secret) },
      body: `{"type":"customer","customer_id":"ann","attributes":{"a":"${'x'.repeat(300)}"}}`,
    })

  /** Until the flood's bodies were read, the answer may still be 200: it is asked again. */
  async function untilAnswered(secret: string, status: number) {
    let answer = await post(secret)
    for (let i = 0; i < 100 && answer.status !== status; i++) answer = await post(secret)
    expect(answer.status).toBe(status)
    return answer
  }

  it('reaches its limit of concurrent posts: 503, while others are served', async () => {
    await Promise.all([begin(0), begin(0), begin(0)])
    const answer = await untilAnswered('s3cret', 503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.body.error).toMatchObject({ type: 'Service Unavailable' })
    expect((await post('other')).status).toBe(200)
  })

  it('holds as many bytes as it may: 503, while others are served', async () => {
    await Promise.all([begin(700), begin(700)])
    await untilAnswered('s3cret', 503)
    expect((await post('other')).status).toBe(200)
  })

  it('has as many connections as it may: 503 and closed, while others are served', async () => {
    await Promise.all([begin(0), begin(0), begin(0), begin(0)])
    const answer = await untilAnswered('s3cret', 503)
    expect(answer.headers.connection).toBe('close')
    expect(answer.body.error?.message).toContain('Limit of 4 open connections')
    expect((await post('other')).status).toBe(200)
  })

  it('ended: it is served like anybody', async () => {
    await untilAnswered('s3cret', 200)
  })
})

describe('a caller that leaves while its post waits', () => {
  const intake = new TestIntake([workspace(APP)], { maxPostsPerProducer: 1, placeWaitMs: 60_000 })
  beforeAll(() => intake.start())
  afterAll(() => intake.stop())

  const path = `/v1/customer/${APP}`
  const postOf = (customer: string, version = 'HTTP/1.1') => {
    const body = `{"type":"customer","customer_id":"${customer}"}`
    return `POST ${path} ${version}\r\nHost: x\r\n${AUTH}Content-Length: ${body.length}\r\n\r\n${body}`
  }
  /** Connects once the producer's only place is taken by a post without end. */
  async function whilePlaceIsTaken(): Promise<{
    readonly holder: Socket
    readonly waiter: Socket
  }> {
    const holder = connect(intake.port, '127.0.0.1')
    holder.write(
      postOf('holder').slice(0, -1).replace('\r\nHost', '\r\nExpect: 100-continue\r\nHost'),
    )
    await new Promise((resolve) => holder.once('data', resolve))
    const waiter = connect({ port: intake.port, host: '127.0.0.1', allowHalfOpen: true })
    await new Promise((resolve) => waiter.once('connect', resolve))
    return { holder, waiter }
  }
  const untilRead = (socket: Socket, text: string) =>
    new Promise<string>((resolve) => {
      let heard = ''
      socket.on('data', (chunk) => {
        heard += chunk.toString()
        if (heard.includes(text)) resolve(heard)
      })
    })
  async function untilTold(status: number): Promise<void> {
    while (!intake.observer.answers.some((answer) => answer.status === status)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  beforeEach(() => {
    intake.observer.answers.length = 0
    intake.store.take()
  })

  it.each([
    ['closes its connection', (socket: Socket) => socket.destroy()],
    ['resets its connection', (socket: Socket) => socket.resetAndDestroy()],
  ])('%s: the post is dropped, and the next one has its place', async (_, leave) => {
    const { holder, waiter } = await whilePlaceIsTaken()
    await new Promise((resolve) => waiter.write(postOf('left'), resolve))
    leave(waiter)
    await untilTold(499)
    const next = intake.send({ path, body: '{"type":"customer","customer_id":"next"}' })
    holder.destroy()
    expect((await next).status).toBe(200)
    expect(intake.store.take()).toEqual(['{"type":"customer","customer_id":"next"}'])
  })

  it('only half-closes: it is told that its post is in progress, and then the answer', async () => {
    const { holder, waiter } = await whilePlaceIsTaken()
    const told = untilRead(waiter, '102 Processing')
    const answered = untilRead(waiter, 'request_id')
    waiter.end(postOf('stays'))
    await told
    holder.destroy()
    expect(await answered).toMatch(/^(HTTP\/1.1 102 Processing\r\n\r\n)+HTTP\/1.1 200 /)
  })

  it('half-closes and speaks HTTP/1.0, which has no 102: it gets its answer alone', async () => {
    const { holder, waiter } = await whilePlaceIsTaken()
    const answered = untilRead(waiter, 'request_id')
    waiter.end(postOf('old', 'HTTP/1.0'))
    // The client's end was seen before: both connections are read in the order in which they end.
    holder.end()
    expect(await answered).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('a caller without credentials', () => {
  const intake = new TestIntake([workspace(APP)])
  const server = createIntakeServer(intake.server.listeners('request')[0] as RequestListener, {
    ...{ clock: new FixedClock(0), random: new CountingRandom(), producerOf },
    unauthenticated: { max: 3, stayMs: 300 },
  })
  const port = () => (server.address() as AddressInfo).port
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const open = (first = '') => {
    const socket = connect(port(), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('data', () => undefined)
    const closed = new Promise<void>((resolve) => socket.once('close', () => { resolve() })) // prettier-ignore
    const answered = new Promise<void>((resolve) => socket.once('data', () => { resolve() })) // prettier-ignore
    if (first !== '') socket.write(first)
    return { socket, closed, answered }
  }
  const GET = `GET /v1/requests/x HTTP/1.1\r\nHost: x\r\n`

  it('keeps no connection after its 401', async () => {
    const text = await exchange(port(), `${GET}\r\n`)
    expect(text).toMatch(/^HTTP\/1.1 401 [^]*Connection: close/)
  })

  it('keeps none for long by saying nothing, while a producer keeps its own', async () => {
    const producer = open(`${GET}${AUTH}\r\n`)
    await producer.answered
    const silent = open()
    await silent.closed
    expect(producer.socket.destroyed).toBe(false)
    producer.socket.destroy()
  })

  it('makes room for the next when there are too many, and never takes a producer’s place', async () => {
    const producer = open(`${GET}${AUTH}\r\n`)
    await producer.answered
    const unauthenticated = Array.from({ length: 3 }, () => open())
    const next = open(`${GET}${AUTH}\r\n`)
    await next.answered
    const more = open()
    await unauthenticated[0]?.closed
    expect(producer.socket.destroyed).toBe(false)
    expect(next.socket.destroyed).toBe(false)
    for (const { socket } of [producer, next, more, ...unauthenticated]) socket.destroy()
  })
})

describe('many connections without credentials', () => {
  /** Most requests without credentials that were served in one turn of the event loop. */
  let most = 0
  let inTurn = 0
  const served: string[] = []
  const server = createIntakeServer(
    (request, response) => {
      if (inTurn++ === 0) setImmediate(() => (inTurn = 0))
      most = Math.max(most, inTurn)
      served.push(request.url ?? '')
      if (producerOf(request) !== null) markAuthenticated(request.socket)
      response.end(request.url === '/large' ? LARGE : '')
    },
    { clock: new FixedClock(0), random: new CountingRandom(), producerOf },
  )
  const port = () => (server.address() as AddressInfo).port
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  beforeEach(() => {
    most = 0
    served.length = 0
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  /** Connections that the server has accepted. */
  async function accepted(count: number): Promise<readonly Socket[]> {
    let left = count
    const all = new Promise<void>((resolve) => {
      server.on('connection', () => {
        if (--left === 0) resolve()
      })
    })
    const sockets = Array.from({ length: count }, () => connect(port(), '127.0.0.1'))
    await all
    return sockets
  }

  it('are served a few per turn of the event loop, also if all ask at the same moment', async () => {
    const sockets = await accepted(100)
    const answered = sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await Promise.all(answered)
    for (const socket of sockets) socket.destroy()
    expect(served).toHaveLength(100)
    expect(most).toBeLessThanOrEqual(8)
  })

  const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  const EXPECTING = 'GET / HTTP/1.1\r\nHost: x\r\nExpect: y\r\n\r\n'
  it.each([
    ['requests', GET],
    ['requests with an unknown expectation', EXPECTING],
    ['requests with wrong credentials', GET.replace('Host', 'Authorization: Basic eDp5\r\nHost')],
  ])(
    'are closed at the second of 1,000 pipelined %s, and the rest is not parsed',
    async (_, one) => {
      const parsed = new Promise<number>((resolve) => {
        server.once('clientError', (error: Error & { bytesParsed?: number }) =>
          resolve(error.bytesParsed ?? Infinity),
        )
      })
      await exchange(port(), one.repeat(1_000))
      expect(served.length).toBeLessThanOrEqual(1)
      expect(await parsed).toBeLessThanOrEqual(2 * one.length)
    },
  )

  it('are served all of their requests if each waits for the answer before it', async () => {
    const socket = connect(port(), '127.0.0.1')
    for (let i = 1; i <= 20; i++) {
      const answered = new Promise((resolve) => socket.once('data', resolve))
      socket.write(GET)
      await answered
      expect(served).toHaveLength(i)
    }
    socket.destroy()
  })

  it('are served after the first request of a connection with credentials', async () => {
    const sockets = await accepted(41)
    const answered = sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
    for (const socket of sockets.slice(1)) socket.write(GET)
    sockets[0]?.write(`GET /producer HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n`)
    await Promise.all(answered)
    for (const socket of sockets) socket.destroy()
    expect(served).toHaveLength(41)
    expect(served.indexOf('/producer')).toBeLessThan(9)
  })

  it('are served behind new connections, of which Node accepts one per turn', async () => {
    const sockets = await accepted(200)
    const answered = sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
    const first = new Promise((resolve) => sockets[0]?.once('data', resolve))
    for (const socket of sockets) socket.write(GET)
    await first
    const [startedMs, before] = [performance.now(), served.length]
    const others = await accepted(10)
    // A few per 20 ms.
    const turns = 2 + (performance.now() - startedMs) / 20
    expect(served.length - before).toBeLessThanOrEqual(8 * turns)
    await Promise.all(answered)
    for (const socket of [...sockets, ...others]) socket.destroy()
  })

  it('are reset, the oldest first, when their answers take over 32 MiB', async () => {
    const closed: number[] = []
    let fourClosed: () => void = () => undefined
    const enough = new Promise<void>((resolve) => (fourClosed = resolve))
    const sockets: Socket[] = []
    for (let i = 0; i < 12; i++) {
      const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
      sockets.push(connect(port(), '127.0.0.1').pause())
      const accepted = await connected
      accepted.once('close', () => {
        closed.push(i)
        if (closed.length === 4) fourClosed()
      })
    }
    for (const socket of sockets) {
      const asked = new Promise((resolve) => server.once('request', resolve))
      socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
      await asked
    }
    await enough
    expect(closed.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    for (const socket of sockets) socket.destroy()
  })

  it('have their pipelined requests served in order, also behind the one with credentials', async () => {
    const paths = Array.from({ length: 40 }, (_, i) => `/${i}`)
    const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n`)
    const last = 'GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    await exchange(port(), ...requests, last)
    expect(served).toEqual([...paths, '/last'])
  })
})
