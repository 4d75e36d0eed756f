const NEWLINE = 0x0a

/** Consecutive lines of a file that go in one request. */
export interface Slice {
  /** Lines of the file before it. */
  readonly linesBefore: number
  readonly lines: readonly Buffer[]
}

/** A slice is closed at so many lines or bytes, whichever comes first. */
export interface SliceSize {
  readonly lines: number
  readonly bytes: number
}

/** Whole lines of a byte stream, without their ends; blank ones too, so that numbers agree. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end)
      yield held.length === 0 ? rest : Buffer.concat([...held, rest])
      held = []
      from = end + 1
    }
    if (from < chunk.length) held.push(chunk.subarray(from))
  }
  if (held.length > 0) yield Buffer.concat(held)
}

/** Slices of the lines after the first `skip`: the same file gives the same slices from there on. */
export async function* slicesOf(
  lines: AsyncIterable<Buffer>,
  skip: number,
  most: SliceSize,
): AsyncGenerator<Slice> {
  let number = 0
  let bytes = 0
  let open: Buffer[] = []
  for await (const line of lines) {
    number += 1
    if (number <= skip) continue
    if (open.length > 0 && (open.length >= most.lines || bytes + line.length > most.bytes)) {
      yield { linesBefore: number - 1 - open.length, lines: open }
      open = []
      bytes = 0
    }
    open.push(line)
    bytes += line.length + 1
  }
  if (open.length > 0) yield { linesBefore: number - open.length, lines: open }
}
