import net from 'node:net'

export type Argument = string | number | Buffer
/** A reply in RESP2: strings as bytes. */
export type Raw = Buffer | number | null | Error | Raw[]

const CRLF = '\r\n'

/** The one real connection to Redis: commands are answered in the order in which they were queued. */
export class Wire {
  commands = 0
  /** Told of every reply first: true if it belongs to no command. */
  onReply: ((reply: Raw) => boolean) | null = null
  readonly #socket: net.Socket
  #queued: Buffer[] = []
  #received: Buffer = Buffer.alloc(0)
  readonly #waiting: ((reply: Raw) => void)[] = []

  private constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  static open(
    address: { readonly path: string } | { readonly host: string; readonly port: number },
  ): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(address)
      socket.on('error', reject)
      socket.on('connect', () => resolve(new Wire(socket)))
    })
  }

  /** Sent with the next `flush`. An error that Redis answers is the reply. */
  queue(args: readonly Argument[]): Promise<Raw> {
    this.commands += 1
    const parts: Buffer[] = [Buffer.from(`*${args.length}${CRLF}`)]
    for (const arg of args) {
      const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg))
      parts.push(Buffer.from(`$${bytes.length}${CRLF}`), bytes, Buffer.from(CRLF))
    }
    this.#queued.push(...parts)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  flush(): void {
    if (this.#queued.length > 0) this.#socket.write(Buffer.concat(this.#queued))
    this.#queued = []
  }

  call(...args: Argument[]): Promise<Raw> {
    const reply = this.queue(args)
    this.flush()
    return reply
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    let at = 0
    for (;;) {
      const parsed = parse(this.#received, at)
      if (parsed === null) break
      at = parsed.end
      if (this.onReply?.(parsed.reply) !== true) this.#waiting.shift()?.(parsed.reply)
    }
    this.#received = this.#received.subarray(at)
  }
}

interface Parsed {
  readonly reply: Raw
  readonly end: number
}

/** The reply that begins at `at`; null while it is incomplete. */
function parse(bytes: Buffer, at: number): Parsed | null {
  const lineEnd = bytes.indexOf(CRLF, at)
  if (lineEnd < 0) return null
  const line = bytes.toString('latin1', at + 1, lineEnd)
  const start = lineEnd + CRLF.length
  switch (bytes.toString('latin1', at, at + 1)) {
    case ':':
      return { reply: Number(line), end: start }
    case '+':
      return { reply: Buffer.from(line), end: start }
    case '-':
      return { reply: new Error(line), end: start }
    case '$':
      return parseBulk(bytes, start, Number(line))
    default:
      return parseList(bytes, start, Number(line))
  }
}

function parseBulk(bytes: Buffer, start: number, length: number): Parsed | null {
  if (length < 0) return { reply: null, end: start }
  const end = start + length + CRLF.length
  return bytes.length < end ? null : { reply: bytes.subarray(start, start + length), end }
}

function parseList(bytes: Buffer, start: number, count: number): Parsed | null {
  if (count < 0) return { reply: null, end: start }
  const list: Raw[] = []
  let end = start
  for (let i = 0; i < count; i++) {
    const parsed = parse(bytes, end)
    if (parsed === null) return null
    list.push(parsed.reply)
    end = parsed.end
  }
  return { reply: list, end }
}
