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

/** Everything that would steer the terminal, except the ends of lines and tabs. */
const STEERING =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Text of others, visible: `\u001b` instead of an escape. In a JSON string it stays the same text. */
export function visible(text: string): string {
  return text.replaceAll(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const CLEAR = '\u001b[2J\u001b[H'
const LINE_START = '\r\u001b[K'

export const processTerminal: Terminal = {
  out: (line) => process.stdout.write(`${visible(line)}\n`),
  note: (line) => process.stderr.write(`${visible(line)}\n`),
  redraw: (line) => process.stderr.write(`${LINE_START}${visible(line)}`),
  clear: () => process.stdout.write(CLEAR),
  isLive: process.stdin.isTTY && process.stderr.isTTY,
  confirm: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await lines.question(`${visible(question)} [y/N] `)
    lines.close()
    return /^y(es)?$/i.test(answer.trim())
  },
  input: () => text(process.stdin),
}
