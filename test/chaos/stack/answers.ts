import { nowMs } from '../clock.js'

const REQUEST_ID = /"request_id":"([^"]+)"/g
/** An answer may come in pieces: so many characters before a piece can belong to its name. */
const KEPT = 100

/** Which of MoEngage's answers were passed on to a worker's connection, seen on the way. */
export class Answers {
  readonly #passedAtMs = new Map<string, number>()

  /** When the name of an answer, which stands at its end, was passed on; undefined: never. */
  passedAtMs(requestId: string): number | undefined {
    return this.#passedAtMs.get(requestId)
  }

  /** Of one connection. */
  readonly watch = (): ((bytes: Buffer) => void) => {
    let tail = ''
    return (bytes) => {
      const text = tail + bytes.toString('latin1')
      for (const [, id = ''] of text.matchAll(REQUEST_ID)) {
        if (!this.#passedAtMs.has(id)) this.#passedAtMs.set(id, nowMs())
      }
      tail = text.slice(-KEPT)
    }
  }
}
