import type { IncomingMessage, ServerResponse } from 'node:http'

export type ReadBody =
  /** `body` is null when it was larger than `keepBytes`. */
  | { readonly complete: true; readonly body: Buffer | null; readonly bytes: number }
  /** The connection closed before the last byte. */
  | { readonly complete: false; readonly bytes: number }

/** A larger body is not read to its end; the connection is closed. */
const GIVE_UP_BYTES = 8_000_000

/** Reads a request body to its end, keeping at most `keepBytes`. Never rejects. */
export function readBody(request: IncomingMessage, keepBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= keepBytes) chunks.push(chunk)
      else chunks = []
      if (bytes > GIVE_UP_BYTES) request.destroy()
    })
    request.on('end', () => {
      const [only] = chunks
      const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
      resolve({ complete: true, body: bytes > keepBytes ? null : whole, bytes })
    })
    const cut = () => {
      resolve({ complete: false, bytes })
    }
    request.on('error', cut)
    request.on('close', cut)
  })
}

/**
 * Resolves after `ms`, at once for 0, and early if the connection of `response` closes. Its timers
 * do not keep the process alive.
 */
export function sleep(ms: number, response?: ServerResponse): Promise<void> {
  if (ms <= 0 || response?.closed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref()
    response?.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
