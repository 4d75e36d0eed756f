import { Writable } from 'node:stream'

/** A line waits no longer for others, ms. */
const TOGETHER_MS = 20
/** Maximum characters per write. */
const MAX_CHARACTERS = 65_536

/**
 * Joins the lines of some milliseconds into one write. Separate writes cost a system call each, which
 * blocks the process until a pipe's reader has made room. The rest is written when the process exits and
 * is lost only if the process is killed.
 */
export class JoinedLines extends Writable {
  readonly #target: NodeJS.WritableStream
  #text = ''
  #timer: NodeJS.Timeout | undefined

  constructor(target: NodeJS.WritableStream) {
    super({ decodeStrings: false })
    this.#target = target
    process.once('exit', () => {
      this.#flush()
    })
  }

  override _write(line: string | Buffer, _encoding: unknown, done: () => void): void {
    this.#text += typeof line === 'string' ? line : line.toString()
    if (this.#text.length >= MAX_CHARACTERS) this.#flush()
    else {
      this.#timer ??= setTimeout(() => {
        this.#flush()
      }, TOGETHER_MS)
    }
    done()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#target.write(text)
  }
}
