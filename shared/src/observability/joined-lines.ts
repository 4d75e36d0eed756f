import { Writable } from 'node:stream'

/** A line waits no longer for others, ms. */
const TOGETHER_MS = 20
/** So much is written at once, characters. */
const MOST_CHARACTERS = 65_536

/**
 * Lines of some milliseconds in one write. Written one by one, each costs a system call that blocks
 * the process until a pipe's reader has made room. At the end of the process what is left is written;
 * only one that is killed takes it along.
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
    if (this.#text.length >= MOST_CHARACTERS) this.#flush()
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
