import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGunzip } from 'node:zlib'
import type { Caller, FairTurns } from '../accept/fairness.js'
import type { Refusal } from '../refusal.js'
import type { Slot } from './producer-limiter.js'

export type BodyOutcome =
  | { readonly outcome: 'read'; readonly body: Buffer }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** The caller disconnected; there is no one to answer. */
  | { readonly outcome: 'aborted' }

export const BROKEN_GZIP: Refusal = {
  status: 400,
  type: 'Malformed gzip',
  message: 'Could not decode the request body. Content-Encoding says gzip, but the body is not.',
}

/** Replaces `requestTimeout` of Node's server, which is off because imports may take longer. */
export const TOO_SLOW: Refusal = {
  status: 408,
  type: 'Request Timeout',
  message: 'The request took too long to arrive',
  headers: { Connection: 'close' },
}

function tooLarge(maxBytes: number): BodyOutcome {
  const message = `The payload can not exceed ${maxBytes} bytes after decompression`
  return { outcome: 'refused', refusal: { status: 413, type: 'Payload too large', message } }
}

/** Maximum bytes that gzip adds to an incompressible body within the limit. */
const GZIP_OVERHEAD_BYTES = 4_096

export interface BodyLimits {
  /** Largest body after decompression. */
  readonly maxBytes: number
  /** Maximum time from first to last byte, so that a caller cannot hold a connection by dripping. */
  readonly mostMs: number
}

/**
 * Reads the body; never buffers more than `maxBytes`, compressed or not, or more than `place` has
 * room for. `unpacking` limits concurrent decompressions.
 */
export async function readBody(
  request: IncomingMessage,
  gzip: boolean,
  { maxBytes, mostMs }: BodyLimits,
  place: Slot,
  unpacking: FairTurns,
  caller: Caller,
): Promise<BodyOutcome> {
  const announced = Number(request.headers['content-length'] ?? 0)
  const maxReceived = gzip ? maxBytes + GZIP_OVERHEAD_BYTES : maxBytes
  if (announced > maxReceived) return tooLarge(maxBytes)
  const received = await receive(request, { maxBytes: maxReceived, mostMs }, place)
  if (received === 'too large') return tooLarge(maxBytes)
  if (received === 'too slow') return { outcome: 'refused', refusal: TOO_SLOW }
  if (received === 'aborted') return { outcome: 'aborted' }
  if (!Buffer.isBuffer(received)) return { outcome: 'refused', refusal: received }
  if (!gzip) return { outcome: 'read', body: received }
  const unpack = () => decompress(received, maxBytes, place)
  return (await unpacking.run(place.producer, unpack, caller)) ?? { outcome: 'aborted' }
}

type Unreceived = 'too large' | 'too slow' | 'aborted' | Refusal

/** Callbacks rather than `for await`: an async iterator costs a promise per chunk. */
function receive(
  request: IncomingMessage,
  { maxBytes, mostMs }: BodyLimits,
  place: Slot,
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

/** Reserves memory as the output grows, so that a gzip bomb ends at the limit. */
function decompress(bytes: Buffer, maxBytes: number, place: Slot): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const gunzip = createGunzip()
    const chunks: Buffer[] = []
    let unpacked = 0
    const conclude = (outcome: BodyOutcome) => {
      gunzip.destroy()
      resolve(outcome)
    }
    gunzip.on('data', (chunk: Buffer) => {
      unpacked += chunk.length
      if (unpacked > maxBytes) {
        conclude(tooLarge(maxBytes))
        return
      }
      const refusal = place.take(chunk.length)
      if (refusal === null) chunks.push(chunk)
      else conclude({ outcome: 'refused', refusal })
    })
    gunzip.once('end', () => {
      const [only] = chunks
      const isOne = chunks.length === 1 && only !== undefined
      conclude({ outcome: 'read', body: isOne ? only : Buffer.concat(chunks, unpacked) })
    })
    gunzip.once('error', () => {
      conclude({ outcome: 'refused', refusal: BROKEN_GZIP })
    })
    gunzip.end(bytes)
  })
}

/** How long a refused caller may continue to send its body, ms. */
const UNREAD_BODY_MS = 2_000

/**
 * Lets a refused caller finish its body, within a time limit, so that it reads the answer instead of
 * getting a reset. Node discards the body. Must be called before the answer is sent.
 */
export function boundUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  const timer = setTimeout(() => {
    if (!request.complete) socket.destroy()
  }, UNREAD_BODY_MS)
  timer.unref()
  const endsConnection = !response.shouldKeepAlive
  // Otherwise Node closes the connection after the answer, and further bytes cause a reset.
  response.shouldKeepAlive = true
  request.once('close', () => {
    clearTimeout(timer)
    if (endsConnection) socket.end()
  })
}
