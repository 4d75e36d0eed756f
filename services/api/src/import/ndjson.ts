import { BOM_BYTES, withoutByteOrderMark } from '../json/scan.js'

/** A non-blank line. */
export interface Line {
  /** 1-based among all lines, blank ones included. */
  readonly number: number
  /** Without line end and byte order mark; null if it was too long and skipped. */
  readonly bytes: Buffer | null
}

const NEWLINE = 0x0a
const RETURN = 0x0d
/** Bytes of a line that do not count towards its length. */
const UNCOUNTED = BOM_BYTES + 1

/**
 * Splits NDJSON chunks into lines; buffers at most one line. Lines end with LF or CRLF, except
 * possibly the last; blank lines are skipped but counted. Pure.
 */
export class NdjsonSplitter {
  readonly #maxLineBytes: number
  readonly #first: number
  #number: number
  /** The beginning of an incomplete line; grows by doubling. */
  #held: Buffer = Buffer.alloc(0)
  /** Bytes of that line so far, buffered or not. */
  #bytes = 0

  /** `firstNumber` is the number of the first line. */
  constructor(maxLineBytes: number, firstNumber = 1) {
    this.#maxLineBytes = maxLineBytes
    this.#first = firstNumber
    this.#number = firstNumber
  }

  /** Number of the last line that has ended. */
  get ended(): number {
    return this.#number - 1
  }

  /** Lines that end in this chunk; they share its memory. */
  *push(chunk: Buffer): Generator<Line, void> {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from)
      if (end < 0) break
      const line = this.#endLine(chunk.subarray(from, end))
      from = end + 1
      if (line !== null) yield line
    }
    this.#hold(chunk.subarray(from))
  }

  /** The last line, if the text ends without a line end. */
  end(): Line | null {
    return this.#bytes === 0 ? null : this.#endLine(Buffer.alloc(0))
  }

  get #isTooLong(): boolean {
    return this.#bytes > this.#maxLineBytes + UNCOUNTED
  }

  /** Copies, so that many small chunks cost no more than one large one. */
  #hold(part: Buffer): void {
    const before = this.#bytes
    this.#bytes += part.length
    // A line that is too long is counted, not buffered.
    if (part.length === 0 || this.#isTooLong) return
    if (this.#held.length < this.#bytes) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes, 2 * this.#held.length))
      this.#held.copy(grown, 0, 0, before)
      this.#held = grown
    }
    part.copy(this.#held, before)
  }

  #endLine(rest: Buffer): Line | null {
    let text = rest
    if (this.#bytes > 0) {
      this.#hold(rest)
      text = this.#held.subarray(0, this.#bytes)
    } else this.#bytes = rest.length
    const isTooLong = this.#isTooLong
    this.#held = Buffer.alloc(0)
    this.#bytes = 0
    const number = this.#number++
    if (isTooLong) return { number, bytes: null }
    const bytes = withoutEnds(text, number === this.#first)
    if (bytes.length > this.#maxLineBytes) return { number, bytes: null }
    return isBlank(bytes) ? null : { number, bytes }
  }
}

function withoutEnds(text: Buffer, isFirst: boolean): Buffer {
  const line = isFirst ? withoutByteOrderMark(text) : text
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN)
}
