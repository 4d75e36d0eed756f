import { format } from 'node:util'
import winston from 'winston'
import { Writable } from 'node:stream'

/** Structured facts beside a constant message. Never bodies, secrets or customer data. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
}

/** Maximum characters of one field, so that a log line is bounded. */
const MAX_FIELD_CHARACTERS = 512

/**
 * From now on, what libraries print with `console` and what Node warns of are lines of the log:
 * ioredis prints plain text, for instance when a password is given that Redis does not need.
 */
export function logPlainOutput(log: Pick<Logger, 'warn'>): void {
  const report = (...words: readonly unknown[]) => {
    log.warn('library message', { text: format(...words) })
  }
  for (const method of ['log', 'info', 'warn', 'error'] as const) console[method] = report
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    report(`${name}: ${message}`)
  })
}

/** One JSON object per line on standard output. */
export function createLogger(service: string, level: string): Logger {
  const bounded = winston.format((info) => {
    for (const [key, value] of Object.entries(info)) {
      if (typeof value === 'string' && value.length > MAX_FIELD_CHARACTERS) {
        info[key] = `${value.slice(0, MAX_FIELD_CHARACTERS)}…`
      }
    }
    return info
  })
  const logger = winston.createLogger({
    level,
    defaultMeta: { service },
    format: winston.format.combine(bounded(), winston.format.timestamp(), winston.format.json()),
  })
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types its transports as any
  logger.add(new winston.transports.Stream({ stream: new JoinedLines(process.stdout) }))
  // winston would format every debug line before it discards the line.
  if (!logger.isDebugEnabled()) logger.debug = () => logger
  return logger
}

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
    process.once('exit', () => this.#flush())
  }

  override _write(line: string | Buffer, _encoding: unknown, done: () => void): void {
    this.#text += typeof line === 'string' ? line : line.toString()
    if (this.#text.length >= MAX_CHARACTERS) this.#flush()
    else {
      this.#timer ??= setTimeout(() => this.#flush(), TOGETHER_MS)
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
