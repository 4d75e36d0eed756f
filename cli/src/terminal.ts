import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'

/** Where a command writes and asks. */
export interface Terminal {
  /** A line of the result. */
  out(line: string): void
  /** A line about the work: never part of the result. */
  note(line: string): void
  /** Replaces the last line written by it; only where `isLive`. */
  redraw(line: string): void
  clear(): void
  /** A person sits there. */
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
