import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { parseLog } from '../process/child.js'

/** A log file grows to this size, then makes way for a new one; one older file is kept. */
const MAX_BYTES = 50_000_000

/** Facts that the reader of a terminal sees anyway. */
const OBVIOUS = new Set(['timestamp', 'service'])

/** Full log of one process. */
export class LogFile {
  private readonly file: string
  private stream: WriteStream
  private bytes: number

  constructor(dir: string, name: string) {
    mkdirSync(dir, { recursive: true })
    this.file = join(dir, `${name}.log`)
    this.bytes = statSync(this.file, { throwIfNoEntry: false })?.size ?? 0
    this.stream = this.open()
  }

  add(line: string): void {
    if (this.bytes > MAX_BYTES) {
      this.stream.end()
      renameSync(this.file, `${this.file}.1`)
      this.bytes = 0
      this.stream = this.open()
    }
    this.bytes += Buffer.byteLength(line) + 1
    this.stream.write(`${line}\n`)
  }

  private open(): WriteStream {
    return createWriteStream(this.file, { flags: 'a', mode: 0o600 })
  }
}

/**
 * A log line as a person wants to see it among others: warnings and errors only, the message first.
 * null: not worth showing. What is no JSON log comes before a crash, and the crash shows it.
 */
export function readable(name: string, line: string): string | null {
  const record = parseLog(line)
  if (record === null) return null
  const { level, message, ...facts } = record
  if (level !== 'warn' && level !== 'error') return null
  const rest = Object.entries(facts)
    .filter(([key]) => !OBVIOUS.has(key))
    .map(([key, value]) => `${key}=${shown(value)}`)
  return [`${name} ${level}: ${shown(message)}`, ...rest].join(' ')
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
