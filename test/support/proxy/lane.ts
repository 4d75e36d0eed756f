import type { Socket } from 'node:net'

/** What happens to the bytes of one direction. Absent fields: nothing. */
export interface Fault {
  /** Every byte arrives this much later. */
  readonly delayMs?: number
  /** Nothing arrives and nothing is reported: a black hole, until healed. */
  readonly stalled?: boolean
  /** No more than this arrives. */
  readonly bytesPerSecond?: number
  /** The first piece that holds this text stalls its connection: to hold back one command. */
  readonly stallFrom?: string
  /** Pieces that hold this text are lost. */
  readonly swallow?: string
  /** Only the first connection that sends that text stalls. */
  readonly once?: true
  /** What is held then still reaches the target when healed, though its sender has gone. */
  readonly late?: true
}

interface Held {
  readonly bytes: Buffer
  readonly dueMs: number
}

/** Beyond this the sender is slowed down instead, as a network's own buffers would. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** How finely a throttled stream is cut, in time. */
const THROTTLE_STEP_MS = 20

/**
 * One direction of one connection: holds data from one side until it may go to the other.
 * It keeps reading while it holds, so that a close of the sender is seen at once.
 */
export class Lane {
  private readonly from: Socket
  private readonly to: Socket
  private readonly onOnce: () => void
  private readonly onSent: (bytes: Buffer) => void
  private fault: Fault
  private held: Held[] = []
  private heldBytes = 0
  private timer: NodeJS.Timeout | null = null
  private readyMs = 0
  private ended = false
  private discarding = false
  private blocked = false

  constructor(
    from: Socket,
    to: Socket,
    fault: Fault,
    onOnce: () => void,
    onSent: (bytes: Buffer) => void = () => undefined,
  ) {
    this.onOnce = onOnce
    this.onSent = onSent
    this.from = from
    this.to = to
    this.fault = fault
    from.on('data', (bytes: Buffer) => this.hold(bytes))
    to.on('drain', () => {
      this.blocked = false
      this.pump()
    })
  }

  set(fault: Fault): void {
    this.fault = fault
    this.readyMs = 0
    this.pump()
  }

  /** The sender closed in order: the receiver hears of it after the last byte. */
  end(): void {
    this.ended = true
    this.pump()
  }

  /** Forgets what it holds and swallows what still comes. */
  discard(): void {
    this.discarding = true
    this.held = []
    this.heldBytes = 0
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.from.resume()
  }

  /** Bytes that wait here. */
  get waitingBytes(): number {
    return this.heldBytes
  }

  /** Whether what it holds outlives the connection of its sender. */
  get isLate(): boolean {
    return this.fault.late === true && this.fault.stalled === true && this.heldBytes > 0
  }

  private hold(bytes: Buffer): void {
    if (this.discarding) return
    const { stallFrom, swallow } = this.fault
    if (swallow !== undefined && bytes.includes(swallow)) return
    if (stallFrom !== undefined && bytes.includes(stallFrom)) {
      const { once, late } = this.fault
      this.fault = { stalled: true, ...(late && { late }) }
      if (once) this.onOnce()
    }
    this.held.push({ bytes, dueMs: performance.now() + (this.fault.delayMs ?? 0) })
    this.heldBytes += bytes.length
    if (this.heldBytes > MAX_HELD_BYTES) this.from.pause()
    this.pump()
  }

  /** Sends what is due, and comes back when the next is. */
  private pump(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (this.fault.stalled || this.discarding) return
    for (let next = this.held[0]; next !== undefined; next = this.held[0]) {
      if (this.blocked) return
      const waitMs = Math.max(next.dueMs, this.readyMs) - performance.now()
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs)
        return
      }
      this.send(next)
    }
    if (this.ended) this.to.end()
  }

  private send({ bytes, dueMs }: Held): void {
    const { bytesPerSecond } = this.fault
    const most =
      bytesPerSecond === undefined
        ? bytes.length
        : Math.max(1, Math.floor((bytesPerSecond * THROTTLE_STEP_MS) / 1000))
    const part = bytes.subarray(0, most)
    const rest = bytes.subarray(most)
    if (rest.length > 0) this.held[0] = { bytes: rest, dueMs }
    else this.held.shift()
    this.heldBytes -= part.length
    if (bytesPerSecond !== undefined) {
      this.readyMs = performance.now() + (part.length / bytesPerSecond) * 1000
    }
    this.blocked = !this.to.write(part)
    this.onSent(part)
    if (this.heldBytes < MAX_HELD_BYTES / 2) this.from.resume()
  }
}
