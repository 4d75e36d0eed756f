import { connect, type Socket } from 'node:net'
import { waitFor } from '@relay/tools/wait-for.js'
import { shopTraffic } from '@relay/tools/traffic/shop.js'
import { systemClock } from '@relay/shared/clock.js'

const SEED = 7

/** The first `count` elements of a shop, with times, so that they leave as they came. */
export function elementTexts(count: number): string[] {
  const traffic = shopTraffic({ seed: SEED, nowMs: () => systemClock.nowMs() })
  return Array.from({ length: count }, () => JSON.stringify(traffic.next().value))
}

/** Bodies of `perPost` elements each, as producers post them to `/v1/transition`. */
export function postBodies(elements: readonly string[], perPost: number): Buffer[] {
  const bodies: Buffer[] = []
  for (let from = 0; from < elements.length; from += perPost) {
    const list = elements.slice(from, from + perPost).join(',')
    bodies.push(Buffer.from(`{"type":"transition","elements":[${list}]}`))
  }
  return bodies
}

/** Mean length of an element's text, bytes of UTF-8. */
export function meanBytes(elements: readonly string[]): number {
  return elements.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / elements.length
}

export interface Target {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** A whole HTTP request as it goes over the wire. */
export function requestBytes({ path, headers }: Target, body: Buffer): Buffer {
  const all = { host: '127.0.0.1', ...headers, 'content-length': String(body.length) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body])
}

/**
 * Posts over connections that are kept alive, each waiting for its answer before the next post:
 * the load follows what the other side can take. Its own processor time is not counted.
 */
export class Load {
  /** Of every answer since the last `forget`, ms. */
  latenciesMs: number[] = []
  answers = 0
  /** Answers 503: try again later. The others must be 200. */
  overloads = 0
  readonly #requests: readonly Buffer[]
  readonly #sockets: Socket[] = []
  readonly #waiting: (() => void)[] = []
  #left: number
  readonly #reconnects: boolean
  #next = 0
  #failure: Error | null = null

  /**
   * Posts `requests` over and over; `most` times in all, or until `stop`. `reconnects`: connections
   * that break are replaced, and the post on them counts as given.
   */
  constructor(
    port: number,
    requests: readonly Buffer[],
    connections: number,
    most = Infinity,
    reconnects = false,
  ) {
    this.#reconnects = reconnects
    this.#requests = requests
    this.#left = most
    for (let i = 0; i < connections; i++) this.#open(port)
  }

  /** Resolves once there were so many answers in all, or the load ended. */
  async answered(count: number): Promise<void> {
    const what = `${count} answers`
    const isOver = () => this.answers >= count || this.#sockets.length === 0
    await waitFor(isOver, { what, timeoutMs: 300_000 })
    if (this.#failure) throw this.#failure
  }

  forget(): void {
    this.latenciesMs = []
  }

  /** Resolves when every post has its answer; rejects when one was refused or a connection broke. */
  async finished(): Promise<void> {
    if (this.#sockets.length > 0) await new Promise<void>((ended) => this.#waiting.push(ended))
    if (this.#failure) throw this.#failure
  }

  stop(): Promise<void> {
    this.#left = 0
    return this.finished()
  }

  #open(port: number): void {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#sockets.push(socket)
    let sentAtMs = 0
    let text = ''
    const send = (): void => {
      const request = this.#requests[this.#next++ % this.#requests.length]
      if (this.#left <= 0 || request === undefined) {
        this.#close(socket)
        return
      }
      this.#left -= 1
      sentAtMs = systemClock.monotonicMs()
      socket.write(request)
    }
    socket.on('connect', send)
    socket.on('error', (error) => {
      // Who refuses a body that is still on its way closes the connection.
      if (this.#reconnects && this.#left > 0) this.#open(port)
      this.#fail(socket, this.#reconnects ? null : error)
    })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = endOfAnswer(text)
      if (end === null) return
      const answer = text
      text = ''
      this.latenciesMs.push(systemClock.monotonicMs() - sentAtMs)
      this.answers += 1
      if (answer.startsWith('HTTP/1.1 200 ')) send()
      else if (answer.startsWith('HTTP/1.1 503 ')) {
        this.overloads += 1
        send()
      } else this.#fail(socket, new Error(`a post was refused: ${answer.slice(0, 600)}`))
    })
  }

  #fail(socket: Socket, error: Error | null): void {
    if (error !== null) {
      this.#failure ??= error
      this.#left = 0
    }
    this.#close(socket)
  }

  #close(socket: Socket): void {
    socket.destroy()
    const index = this.#sockets.indexOf(socket)
    if (index >= 0) this.#sockets.splice(index, 1)
    if (this.#sockets.length === 0) for (const ended of this.#waiting) ended()
  }
}

/** Where the answer ends that `text` begins with; null while it is not all there. */
function endOfAnswer(text: string): number | null {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return null
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1]
  const end = head + 4 + Number(length ?? 0)
  return text.length >= end ? end : null
}
