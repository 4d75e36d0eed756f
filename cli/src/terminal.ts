import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'

/** Output and input of a command. */
export interface Terminal {
  /** A line of the result. */
  out(line: string): void
  /** A line about progress; never part of the result. */
  note(line: string): void
  /** Replaces the last line that it wrote; only if `isLive`. */
  redraw(line: string): void
  clear(): void
  /** Input and output are a terminal. */
  readonly isLive: boolean
  confirm(question: string): Promise<boolean>
  /** All of standard input. */
  input(): Promise<string>
}

const CLEAR = '\u001b[2J\u001b[H'
const LINE_START = '\r\u001b[K'

export const processTerminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  redraw: (line) => process.stderr.write(`${LINE_START}${line}`),
  clear: () => process.stdout.write(CLEAR),
  isLive: process.stdin.isTTY && process.stderr.isTTY,
  confirm: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await lines.question(`${question} [y/N] `)
    lines.close()
    return /^y(es)?$/i.test(answer.trim())
  },
  input: () => text(process.stdin),
}
