import { CommandError, EXIT } from '../exit.js'

const NEWLINE = 0x0a
/** Maximum bytes of a line, which relay does not exceed either. */
const MAX_LINE = 64 * 1_048_576

/** Consecutive lines of a file that are sent in one request. */
export interface Slice {
  /** Lines of the file before it. */
  readonly linesBefore: number
  readonly lines: readonly Buffer[]
}

/** A slice ends at this many lines or bytes, whichever comes first. */
export interface SliceSize {
  readonly lines: number
  readonly bytes: number
}

/** Whole lines of a byte stream, without their ends; blank ones too, so that numbers agree. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end)
      yield held.length === 0 ? rest : Buffer.concat([...held, rest])
      held = []
      heldBytes = 0
      from = end + 1
    }
    if (from < chunk.length) held.push(chunk.subarray(from))
    heldBytes += chunk.length - from
    if (heldBytes > MAX_LINE) throw tooLong()
  }
  if (held.length > 0) yield Buffer.concat(held)
}

function tooLong(): CommandError {
  const message = `A line is longer than ${MAX_LINE} bytes: is this NDJSON, one element per line?`
  return new CommandError(EXIT.usage, message)
}

/**
 * Slices of the lines after the first `skip`. The end of a slice depends only on the file, not on where
 * an import resumes: relay recognises stored lines by the batches in which they end.
 */
export async function* slicesOf(
  lines: AsyncIterable<Buffer>,
  skip: number,
  most: SliceSize,
): AsyncGenerator<Slice> {
  let ended = 0
  let bytes = 0
  let open: Buffer[] = []
  for await (const line of lines) {
    if (open.length > 0 && (open.length >= most.lines || bytes + line.length > most.bytes)) {
      const slice = rest(ended, open, skip)
      if (slice !== null) yield slice
      ended += open.length
      open = []
      bytes = 0
    }
    open.push(line)
    bytes += line.length + 1
  }
  const last = rest(ended, open, skip)
  if (last !== null) yield last
}

/** The part of a slice after the first `skip` lines of the file. */
function rest(ended: number, lines: readonly Buffer[], skip: number): Slice | null {
  const linesBefore = Math.max(ended, skip)
  const left = lines.slice(linesBefore - ended)
  return left.length === 0 ? null : { linesBefore, lines: left }
}
