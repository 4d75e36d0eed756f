import http from 'node:http'
import https from 'node:https'
import type { Clock } from '@relay/shared/clock.js'
import {
  networkFaultOf,
  type Answer,
  type BulkRequest,
  type NetworkFault,
  type Withheld,
} from './answer.js'
import { resetSocket } from './connections.js'

/** Read limit of an answer's body. MoEngage's are under 1 KB; a proxy's page may have any size. */
const MAX_ANSWER_BYTES = 65_536

/**
 * Held back until the rest is flushed. One byte suffices: without the closing brace neither
 * Content-Length is met nor does the JSON decode.
 */
const HELD_BACK_BYTES = 1

export interface Destination {
  readonly url: URL
  readonly agent: http.Agent
  readonly headers: Readonly<Record<string, string>>
}

interface Head {
  readonly response: http.IncomingMessage
  readonly requestComplete: boolean
  readonly chunks: Buffer[]
  bytes: number
  /** The body's end was read. */
  whole: boolean
}

/** One request and its answer. Settles exactly once, at the deadline at the latest. */
export class Exchange {
  readonly #destination: Destination
  readonly #request: BulkRequest
  readonly #clock: Clock
  readonly #startedMs: number
  readonly #abandoned = new AbortController()
  #deadlineMs: number
  #timer: NodeJS.Timeout | undefined
  #settle: ((answer: Answer) => void) | null = null
  #settled = false
  #connectMs: number | null = null
  #connected = false
  #finished = false
  #head: Head | null = null
  #client: http.ClientRequest | null = null

  constructor(destination: Destination, request: BulkRequest, clock: Clock) {
    this.#destination = destination
    this.#request = request
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
    this.#deadlineMs = request.deadlineMonotonicMs
  }

  async run(): Promise<Answer> {
    const { signal } = this.#request
    const abort = (): void => this.stop('aborted')
    signal.addEventListener('abort', abort, { once: true })
    this.#watchDeadline()
    try {
      return await new Promise<Answer>((settle) => {
        this.#settle = settle
        this.#start()
      })
    } finally {
      clearTimeout(this.#timer)
      signal.removeEventListener('abort', abort)
    }
  }

  #watchDeadline(): void {
    this.#timer = setTimeout(() => {
      this.#deadlineMs = Math.max(this.#deadlineMs, this.#request.extendedTo?.() ?? -Infinity)
      if (this.#clock.monotonicMs() < this.#deadlineMs) {
        this.#watchDeadline()
        return
      }
      // After a stall of the process, timers come before an answer that arrived in time.
      afterReading(() => this.#fail('timeout'))
    }, this.#deadlineMs - this.#clock.monotonicMs())
  }

  /** Ends the exchange for a reason of relay's own. */
  stop(why: 'aborted' | 'closed'): void {
    if (this.#finished) this.#fail('aborted')
    else this.#withhold(why)
  }

  #start(): void {
    const { url, agent, headers } = this.#destination
    const body = this.#request.body()
    const heldBack = Buffer.from(body.subarray(body.length - HELD_BACK_BYTES))
    try {
      const open = url.protocol === 'https:' ? https.request : http.request
      const options: https.RequestOptions & { abandoned: AbortSignal } = {
        method: 'POST',
        agent,
        headers: { ...headers, 'Content-Length': String(body.length) },
        abandoned: this.#abandoned.signal,
      }
      const client = open(url, options)
      this.#client = client
      this.#listen(client)
      client.write(body.subarray(0, body.length - HELD_BACK_BYTES), (error) => {
        if (error) return
        afterReading(() => this.#finish(heldBack))
      })
    } catch (error) {
      this.#fail(networkFaultOf(error))
    }
  }

  #listen(client: http.ClientRequest): void {
    client.on('socket', (socket) => {
      const ready = (): void => {
        this.#connected = true
        this.#connectMs = this.#clock.monotonicMs() - this.#startedMs
      }
      if (client.reusedSocket) this.#connected = true
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', ready)
    })
    client.on('response', (response) => this.#read(response))
    client.on('error', (error) =>
      this.#fail(this.#connected ? networkFaultOf(error) : connectFaultOf(error)),
    )
    // Some exchanges end without an error, such as an answer that switches protocols.
    client.on('close', () => this.#fail('reset'))
  }

  /** Everything but the held-back byte is with the kernel: the last moment to turn back. */
  #finish(heldBack: Buffer): void {
    if (this.#settled || this.#head !== null) return
    if (!this.#mayFinish()) {
      this.#withhold('disallowed')
    } else if (this.#clock.monotonicMs() >= this.#deadlineMs) {
      this.#fail('timeout')
    } else {
      this.#finished = true
      this.#client?.end(heldBack)
    }
  }

  #mayFinish(): boolean {
    try {
      return this.#request.mayFinish()
    } catch {
      return false
    }
  }

  #read(response: http.IncomingMessage): void {
    const head: Head = {
      response,
      requestComplete: this.#finished,
      chunks: [],
      bytes: 0,
      whole: false,
    }
    this.#head = head
    response.on('data', (chunk: Buffer) => {
      head.chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - head.bytes))
      head.bytes += chunk.length
      if (head.bytes > MAX_ANSWER_BYTES) this.#respond(head)
    })
    response.on('end', () => {
      head.whole = true
      // By then the connection is back in the pool, and the next attempt finds it there.
      afterReading(() => this.#respond(head))
    })
    response.on('error', () => this.#respond(head))
  }

  #respond({ response, requestComplete, chunks, whole }: Head): void {
    this.#conclude(
      {
        kind: 'response',
        status: response.statusCode ?? 0,
        headers: {
          retryAfter: response.headers['retry-after'] ?? null,
          date: response.headers.date ?? null,
          ...rateLimitOf(response.headers),
        },
        body: Buffer.concat(chunks).toString('utf8'),
        truncated: !whole,
        requestComplete,
        timings: this.#timings(),
      },
      { reset: !whole || !requestComplete },
    )
  }

  #withhold(why: Withheld): void {
    this.#conclude({ kind: 'not_sent', why, timings: this.#timings() }, { reset: true })
  }

  /** With a status read, the answer is that status; else it depends on whether the end was written. */
  #fail(why: NetworkFault | 'aborted'): void {
    if (this.#head !== null) {
      this.#respond(this.#head)
      return
    }
    const kind = this.#finished ? 'unknown' : 'not_sent'
    this.#conclude({ kind, why, timings: this.#timings() }, { reset: true })
  }

  #conclude(answer: Answer, { reset }: { reset: boolean }): void {
    if (this.#settled) return
    this.#settled = true
    if (reset) this.#reset()
    this.#settle?.(answer)
  }

  #reset(): void {
    this.#abandoned.abort()
    const client = this.#client
    // Errors that a reset causes are its own doing.
    client?.on('error', () => undefined)
    if (client?.socket) resetSocket(client.socket)
    client?.destroy()
  }

  #timings(): Answer['timings'] {
    return {
      connectMs: this.#connectMs,
      totalMs: this.#clock.monotonicMs() - this.#startedMs,
    }
  }
}

/** Before the connection is established, an unknown fault means that the host was unreachable. */
function connectFaultOf(error: unknown): NetworkFault {
  const fault = networkFaultOf(error)
  return fault === 'reset' ? 'unreachable' : fault
}

/**
 * Calls back after all received data has been read. An answer that has already arrived belongs to an
 * earlier request on this connection, or refuses this one early: a leftover "success" must never be taken
 * for the answer to this request. The first turn ends the current round of reading, the second follows a
 * whole round.
 */
function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then))
}

function rateLimitOf(headers: http.IncomingHttpHeaders) {
  const read = (name: string): string | null => headers[`x-ratelimit-${name}`]?.toString() ?? null
  const rateLimit = { limit: read('limit'), remaining: read('remaining'), reset: read('reset') }
  return Object.values(rateLimit).some((value) => value !== null) ? { rateLimit } : {}
}
