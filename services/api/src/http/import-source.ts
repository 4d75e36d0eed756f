import type { IncomingMessage } from 'node:http'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { Clock } from '@relay/shared/clock.js'
import type { Chunk, ChunkSource } from '../import/importer.js'
import type { Refusal } from '../refusal.js'
import { BROKEN_GZIP, TOO_SLOW } from './body.js'

const STOPPING: Refusal = {
  status: 503,
  type: 'Service Unavailable',
  message: 'relay is being stopped here. Go on after last_line; another process will answer.',
  retryAfterMs: 1_000,
}

/** JSON lines are packed some 10 to 40 times smaller; gzip can 1,000 times. */
export const MOST_RATIO = 200
/** What is looked at before a ratio says anything, bytes. */
const RATIO_FROM_BYTES = 1_048_576

const BOMB: Refusal = {
  status: 413,
  type: 'Payload too large',
  message: `The body decompresses to more than ${String(MOST_RATIO)} times its size. Post such lines without gzip, or in smaller files.`,
}

/** A caller that brings so much within the time it may make relay wait goes on; else it drips. */
export const PACE_BYTES = 32_768

export interface ImportSourceOptions {
  readonly gzip: boolean
  /** How long the caller may make relay wait for each `PACE_BYTES`, ms. */
  readonly idleMs: number
  /** Ends the source. */
  readonly stopping: AbortSignal
  readonly clock: Clock
}

/** The body of a request, chunk by chunk: the caller is slowed to the pace at which it is asked. */
export class ImportSource implements ChunkSource {
  readonly #o: ImportSourceOptions
  readonly #request: IncomingMessage
  readonly #chunks: AsyncIterator<unknown>
  /** null: the body is not gzip. */
  readonly #gunzip: Gunzip | null
  readonly #clock: Clock
  #bodyBytes = 0
  /** What came, and how long relay waited for it, since the last whole `PACE_BYTES`. */
  #pace = { bytes: 0, waitedMs: 0 }

  constructor(request: IncomingMessage, options: ImportSourceOptions) {
    this.#o = options
    this.#clock = options.clock
    this.#request = request
    this.#gunzip = options.gzip ? gunzipped(request) : null
    const body = this.#gunzip ?? request
    // Leaving the loop early must not destroy the request: its caller is still to be answered.
    this.#chunks = body.iterator({ destroyOnReturn: false })
  }

  /** Bytes read so far, after decompression. */
  get bodyBytes(): number {
    return this.#bodyBytes
  }

  next(): Promise<Chunk> {
    const { stopping } = this.#o
    const patienceMs = this.#o.idleMs - this.#pace.waitedMs
    if (patienceMs <= 0) return Promise.resolve({ kind: 'fault', refusal: TOO_SLOW })
    const askedAtMs = this.#clock.monotonicMs()
    return new Promise((resolve) => {
      const conclude = (chunk: Chunk) => {
        clearTimeout(timer)
        stopping.removeEventListener('abort', stop)
        this.#keepPace(chunk, this.#clock.monotonicMs() - askedAtMs)
        resolve(chunk)
      }
      const stop = () => { conclude({ kind: 'fault', refusal: STOPPING }) } // prettier-ignore
      const timer = setTimeout(conclude, patienceMs, { kind: 'fault', refusal: TOO_SLOW })
      stopping.addEventListener('abort', stop)
      if (stopping.aborted) stop()
      else this.#read().then(conclude, (error: unknown) => { conclude(failure(error)) }) // prettier-ignore
    })
  }

  /** Lets the rest of the body pass unread. */
  discard(): void {
    this.#request.unpipe()
    this.#request.resume()
  }

  /** A caller that sends a byte now and then would hold its place for ever. */
  #keepPace(chunk: Chunk, waitedMs: number): void {
    if (chunk.kind !== 'data') return
    this.#pace.bytes += chunk.bytes.length
    this.#pace.waitedMs += waitedMs
    if (this.#pace.bytes >= PACE_BYTES) this.#pace = { bytes: 0, waitedMs: 0 }
  }

  async #read(): Promise<Chunk> {
    const next = (await this.#chunks.next()) as IteratorResult<Buffer>
    if (next.done === true) return { kind: 'end' }
    const bytes = next.value
    this.#bodyBytes += bytes.length
    if (this.#isBomb()) return { kind: 'fault', refusal: BOMB }
    return { kind: 'data', bytes }
  }

  /** Whether little was sent that costs much: `bytesWritten` is what the decompressor has taken in. */
  #isBomb(): boolean {
    if (this.#gunzip === null || this.#bodyBytes < RATIO_FROM_BYTES) return false
    return this.#bodyBytes > this.#gunzip.bytesWritten * MOST_RATIO
  }
}

function failure(error: unknown): Chunk {
  const { code } = error as { code?: unknown }
  const isGzip = typeof code === 'string' && code.startsWith('Z_')
  return isGzip ? { kind: 'fault', refusal: BROKEN_GZIP } : { kind: 'aborted' }
}

/** Not a pipeline: that would destroy the request, and with it the answer, when the gzip is broken. */
function gunzipped(request: IncomingMessage): Gunzip {
  const gunzip = createGunzip()
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('aborted'))
  })
  request.on('error', () => undefined)
  return request.pipe(gunzip)
}
