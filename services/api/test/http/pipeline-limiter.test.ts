import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { PipelineLimiter } from '../../src/http/pipeline-limiter.js'

const MOST = 4
const WAIT = 50
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const requestOf = (producer: string) =>
  `GET / HTTP/1.1\r\nHost: x\r\nX-Producer: ${producer}\r\n\r\n`

/** A server whose answers are given when the test says so. */
class Held {
  readonly begun: ServerResponse[] = []
  most = 0
  #under = 0
  #atOnce = false
  readonly #heard = new Set<() => void>()
  readonly turns = new PipelineLimiter(
    (_request, response) => {
      this.begun.push(response)
      this.most = Math.max(this.most, ++this.#under)
      response.once('finish', () => this.#under--)
      if (this.#atOnce) response.end()
      for (const look of this.#heard) look()
    },
    ({ headers }) => headers['x-producer']?.toString() ?? null,
    { mostServed: MOST, mostWaiting: WAIT },
  )
  readonly server: Server = createServer(this.turns.listener)

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  open(): Socket {
    return connect((this.server.address() as AddressInfo).port, '127.0.0.1')
  }

  /** Answers everything begun so far, and from now on. */
  answersAtOnce(): void {
    this.#atOnce = true
    for (const response of this.begun) response.end()
  }

  /** Resolves once so many requests were begun. */
  async hasBegun(count: number): Promise<void> {
    while (this.begun.length < count) {
      await new Promise<void>((resolve) => this.#heard.add(resolve))
    }
  }
}

function statuses(socket: Socket, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      const found = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? '')
      if (found.length >= count) resolve(found)
    })
  })
}

describe('requests of one connection', () => {
  let held: Held

  beforeEach(async () => {
    held = new Held()
    await held.start()
  })
  afterEach(() => held.stop())

  it('are served a few at a time, in order, while others are served at once', async () => {
    const greedy = held.open()
    const answered = statuses(greedy, 40)
    greedy.write(REQUEST.repeat(40))
    await held.hasBegun(MOST)
    const modest = held.open()
    const own = statuses(modest, 1)
    modest.write(REQUEST)
    // It is begun although 36 came before it.
    await held.hasBegun(MOST + 1)
    held.begun[MOST]?.writeHead(201).end()
    expect(await own).toEqual(['201'])
    for (let i = 0; i < 41; i++) {
      await held.hasBegun(i + 1)
      if (i !== MOST) held.begun[i]?.writeHead(200).end()
    }
    expect(await answered).toEqual(Array.from({ length: 40 }, () => '200'))
    expect(held.most).toBe(MOST + 1)
    greedy.destroy()
    modest.destroy()
  })

  it('are all answered, however many come in one go', async () => {
    const socket = held.open()
    const answered = statuses(socket, 3_000)
    socket.write(REQUEST.repeat(3_000))
    for (let i = 0; i < 3_000; i++) {
      await held.hasBegun(i + 1)
      held.begun[i]?.writeHead(200).end()
    }
    expect(new Set(await answered)).toEqual(new Set(['200']))
    socket.destroy()
  })

  it('that wait leave their places when the connection goes', async () => {
    const gone = held.open()
    gone.write(REQUEST.repeat(MOST + WAIT))
    await held.hasBegun(MOST)
    const closed = new Promise((resolve) => held.begun[0]?.req.socket.once('close', resolve))
    gone.resetAndDestroy()
    // Nothing is read while requests wait: that no one is there any more shows at the next answer.
    held.answersAtOnce()
    await closed
    const next = held.open()
    const answered = statuses(next, MOST + WAIT)
    next.write(REQUEST.repeat(MOST + WAIT))
    expect(new Set(await answered)).toEqual(new Set(['200']))
    next.destroy()
  })
})

describe('requests that wait, each of which takes a millisecond or more', () => {
  let taskMs = 1
  /** Producers of the requests begun, by turn of the event loop. */
  let turns: string[][] = [[]]
  const limiter = new PipelineLimiter(
    ({ headers }, response) => {
      const untilMs = performance.now() + taskMs
      turns.at(-1)?.push(headers['x-producer']?.toString() ?? '')
      while (performance.now() < untilMs);
      response.end()
    },
    ({ headers }) => headers['x-producer']?.toString() ?? null,
    { mostServed: MOST, mostWaiting: WAIT },
  )
  const server = createServer(limiter.listener)
  const open = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
  let isCounting = true
  const nextTurn = () => {
    turns.push([])
    if (isCounting) setImmediate(nextTurn)
  }

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    nextTurn()
  })
  beforeEach(() => (turns = [[]]))
  afterAll(async () => {
    isCounting = false
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('are not all served in the turn of the event loop that read them', async () => {
    const socket = open()
    const answered = statuses(socket, 40)
    socket.write(REQUEST.repeat(40))
    expect(await answered).toHaveLength(40)
    // 4 ms of waiting ones, and the first of the connection.
    expect(Math.max(...turns.map(({ length }) => length))).toBeLessThanOrEqual(6)
    socket.destroy()
  })

  it('alternate between producers, however many connections one of them has', async () => {
    taskMs = 5
    const many = Array.from({ length: 20 }, () => open())
    const first = statuses(many[0]!, 1)
    for (const socket of many) socket.write(requestOf('many').repeat(5))
    await first
    const few = open()
    const answered = statuses(few, 5)
    few.write(requestOf('few').repeat(5))
    await answered
    const begun = turns.flat()
    const between = begun.slice(begun.indexOf('few'), begun.lastIndexOf('few') + 1)
    expect(between.filter((producer) => producer === 'few')).toHaveLength(5)
    // At most one before each of them, and the first requests of connections.
    const others = between.length - 5
    expect(others).toBeGreaterThan(0)
    expect(others).toBeLessThanOrEqual(5 + many.length - 1)
    for (const socket of [...many, few]) socket.destroy()
  })
})

it('admits no more requests of a producer while enough others of it wait', async () => {
  const held = new Held()
  await held.start()
  const one = held.open()
  const another = held.open()
  another.write(requestOf('another'))
  await held.hasBegun(1)
  const [ofAnother] = held.begun.map(({ req }) => req)
  one.write(requestOf('one').repeat(MOST + WAIT))
  await held.hasBegun(1 + MOST)
  const ofOne = held.begun[1]?.req
  expect(held.turns.admit(ofOne!)).toBe('stop')
  expect(held.turns.admit(ofAnother!)).toBe('serve')
  const answered = statuses(one, MOST + WAIT)
  held.answersAtOnce()
  await answered
  expect(held.turns.admit(ofOne!)).toBe('serve')
  for (const socket of [one, another]) socket.destroy()
  await held.stop()
})
