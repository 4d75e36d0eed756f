import type { IncomingMessage } from 'node:http'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { Clock } from '@relay/shared/clock.js'
import type { Chunk, ChunkSource } from '../import/importer.js'
import type { Refusal } from '../refusal.js'
import { BROKEN_GZIP, TOO_SLOW } from './body.js'

const STOPPING: Refusal = {
  status: 503,
  cause: 'stopping',
  type: 'Service Unavailable',
  message:
    'This instance is shutting down. Resume after last_line; another instance will accept the request.',
  retryAfterMs: 1_000,
}

/** gzip compresses JSON lines 10 to 40 times, and other data up to 1,000 times. */
export const MAX_RATIO = 200
/** Bytes before the ratio is checked. */
const RATIO_FROM_BYTES = 1_048_576

const BOMB: Refusal = {
  status: 413,
  type: 'Payload too large',
  message: `The body decompresses to more than ${MAX_RATIO} times its size. Post such lines without gzip, or in smaller files.`,
}

/** A caller must send this many bytes within the maximum wait; a slower one is ended. */
export const PACE_BYTES = 32_768

export interface ImportSourceOptions {
  readonly gzip: boolean
  /** Maximum time to wait for each `PACE_BYTES`, ms. */
  readonly idleMs: number
  /** Ends the source. */
  readonly stopping: AbortSignal
  readonly clock: Clock
}

/** The body of a request, chunk by chunk, with backpressure to the caller. */
export class ImportSource implements ChunkSource {
  readonly #options: ImportSourceOptions
  readonly #request: IncomingMessage
  readonly #chunks: AsyncIterator<unknown>
  /** null: the body is not gzip. */
  readonly #gunzip: Gunzip | null
  readonly #clock: Clock
  #bodyBytes = 0
  /** Bytes received, and time waited for them, since the last full `PACE_BYTES`. */
  #pace = { bytes: 0, waitedMs: 0 }

  constructor(request: IncomingMessage, options: ImportSourceOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#request = request
    this.#gunzip = options.gzip ? gunzipped(request) : null
    const body = this.#gunzip ?? request
    // Leaving the loop early must not destroy the request, which still has to be answered.
    this.#chunks = body.iterator({ destroyOnReturn: false })
  }

  /** Bytes read so far, after decompression. */
  get bodyBytes(): number {
    return this.#bodyBytes
  }

  next(): Promise<Chunk> {
    const { stopping } = this.#options
    const patienceMs = this.#options.idleMs - this.#pace.waitedMs
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

  /** Discards the rest of the body. */
  discard(): void {
    this.#request.unpipe()
    this.#request.resume()
  }

  /** A caller that sends a byte now and then would hold its slot permanently. */
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

  /** Whether the compression ratio is excessive: `bytesWritten` is the compressed size so far. */
  #isBomb(): boolean {
    if (this.#gunzip === null || this.#bodyBytes < RATIO_FROM_BYTES) return false
    return this.#bodyBytes > this.#gunzip.bytesWritten * MAX_RATIO
  }
}

function failure(error: unknown): Chunk {
  const { code } = error as { code?: unknown }
  const isGzip = typeof code === 'string' && code.startsWith('Z_')
  return isGzip ? { kind: 'fault', refusal: BROKEN_GZIP } : { kind: 'aborted' }
}

/** Not a pipeline, which would destroy the request and its answer on invalid gzip. */
function gunzipped(request: IncomingMessage): Gunzip {
  const gunzip = createGunzip()
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('aborted'))
  })
  request.on('error', () => undefined)
  return request.pipe(gunzip)
}
