import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { PipelineLimiter } from '../../src/http/pipeline-limiter.js'

const MOST = 4
const WAIT = 50
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** A server whose answers are given when the test says so. */
class Held {
  readonly begun: ServerResponse[] = []
  refused = 0
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
    (_request, response) => {
      this.refused++
      response.writeHead(503).end()
    },
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
      await new Promise<void>((resolve) => {
        this.#heard.add(resolve)
      })
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
    // What stands in one read and finds no place to wait is refused, in its turn.
    socket.write(REQUEST.repeat(3_000))
    for (let i = 0; i < 3_000 - held.refused; i++) {
      await held.hasBegun(i + 1)
      held.begun[i]?.writeHead(200).end()
      await new Promise((resolve) => setImmediate(resolve))
    }
    const all = await answered
    expect(all.filter((status) => status === '503')).toHaveLength(held.refused)
    expect(held.refused).toBeGreaterThan(0)
    expect(all.filter((status) => status === '200')).toHaveLength(3_000 - held.refused)
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

it('does not serve all that one read holds in one turn of the event loop, however fast it is answered', async () => {
  const begunInTurn: number[] = [0]
  const turns = new PipelineLimiter(
    (_request, response) => {
      begunInTurn.push((begunInTurn.pop() ?? 0) + 1)
      response.end()
    },
    () => undefined,
    { mostServed: MOST, mostWaiting: WAIT },
  )
  const server = createServer(turns.listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  let counting = true
  const nextTurn = () => {
    begunInTurn.push(0)
    if (counting) setImmediate(nextTurn)
  }
  nextTurn()
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const answered = statuses(socket, 40)
  socket.write(REQUEST.repeat(40))
  expect(await answered).toHaveLength(40)
  counting = false
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  // Those of the read itself, and those that follow on them before the turn ends.
  expect(Math.max(...begunInTurn)).toBeLessThanOrEqual(2 * MOST)
})
