import type { IncomingMessage } from 'node:http'
import { gunzip } from 'node:zlib'
import type { Refusal } from '../refusal.js'
import type { Place } from './shares.js'

export type BodyOutcome =
  | { readonly outcome: 'read'; readonly body: Buffer }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** The caller went away; nobody is left to answer. */
  | { readonly outcome: 'aborted' }

export const BROKEN_GZIP: Refusal = {
  status: 400,
  type: 'Malformed gzip',
  message: 'Could not decode the request body. It is not the gzip that Content-Encoding says.',
}

/** What `requestTimeout` of Node's server answers; imports may take longer, so it is off. */
export const TOO_SLOW: Refusal = {
  status: 408,
  type: 'Request Timeout',
  message: 'The request took too long to arrive',
  headers: { Connection: 'close' },
}

function tooLarge(maxBytes: number): BodyOutcome {
  const message = `The payload can not exceed ${String(maxBytes)} bytes after decompression`
  return { outcome: 'refused', refusal: { status: 413, type: 'Payload too large', message } }
}

/** Bytes that gzip adds at most to what cannot be compressed, for bodies within the limit. */
const GZIP_OVERHEAD_BYTES = 4_096

export interface BodyLimits {
  /** Largest body after decompression. */
  readonly maxBytes: number
  /** From its first byte to its last: a caller cannot hold a connection by dripping. */
  readonly mostMs: number
}

/** Reads the body; never holds more of it than `maxBytes`, compressed or not. */
export async function readBody(
  request: IncomingMessage,
  gzip: boolean,
  { maxBytes, mostMs }: BodyLimits,
  place: Place,
): Promise<BodyOutcome> {
  const announced = Number(request.headers['content-length'] ?? 0)
  const maxReceived = gzip ? maxBytes + GZIP_OVERHEAD_BYTES : maxBytes
  if (announced > maxReceived) return tooLarge(maxBytes)
  const received = await receive(request, { maxBytes: maxReceived, mostMs }, place)
  if (received === 'too large') return tooLarge(maxBytes)
  if (received === 'too slow') return { outcome: 'refused', refusal: TOO_SLOW }
  if (received === 'aborted') return { outcome: 'aborted' }
  if (!Buffer.isBuffer(received)) return { outcome: 'refused', refusal: received }
  return gzip ? decompress(received, maxBytes, place) : { outcome: 'read', body: received }
}

type Unreceived = 'too large' | 'too slow' | 'aborted' | Refusal

/** Callbacks rather than `for await`: an async iterator costs a promise per chunk. */
function receive(
  request: IncomingMessage,
  { maxBytes, mostMs }: BodyLimits,
  place: Place,
): Promise<Buffer | Unreceived> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const conclude = (what: Buffer | Unreceived) => {
      clearTimeout(timer)
      resolve(what)
    }
    const stop = (why: Unreceived) => {
      request.removeListener('data', onData)
      request.resume()
      conclude(why)
    }
    const timer = setTimeout(stop, mostMs, 'too slow')
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) {
        stop('too large')
        return
      }
      const refusal = place.take(chunk.length)
      if (refusal === null) chunks.push(chunk)
      else stop(refusal)
    }
    request.on('data', onData)
    request.once('end', () => {
      const [only] = chunks
      conclude(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks))
    })
    // After `end` these change nothing.
    request.once('error', () => { conclude('aborted') }) // prettier-ignore
    request.once('close', () => { conclude('aborted') }) // prettier-ignore
  })
}

function decompress(bytes: Buffer, maxBytes: number, place: Place): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    // The output is counted while it streams: a bomb ends at the limit, not at its full size.
    gunzip(bytes, { maxOutputLength: maxBytes }, (error, body) => {
      if (error === null) {
        const refusal = place.take(body.length)
        resolve(refusal === null ? { outcome: 'read', body } : { outcome: 'refused', refusal })
      } else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        resolve(tooLarge(maxBytes))
      } else {
        resolve({ outcome: 'refused', refusal: BROKEN_GZIP })
      }
    })
  })
}
