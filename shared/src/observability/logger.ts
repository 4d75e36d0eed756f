import { format } from 'node:util'
import winston from 'winston'
import { JoinedLines } from './joined-lines.js'

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
    log.warn('message of a library', { text: format(...words) })
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
