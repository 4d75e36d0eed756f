import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { PartitionWindow } from './window.js'

/** Chunks per look: bounds one script's work in Redis. */
const CHUNKS_PER_LOOK = 256

/** Lanes that load and pack at one time. It takes them milliseconds, unless Redis is slow, which all wait for. */
const LANES_AT_A_TIME = 16

/** Part of the memory that windows load ahead of need; the rest is for looking past a short budget. */
const AHEAD_PART = 0.25
/** More of one window is for looking past a short budget, bytes. */
const MAX_AHEAD_BYTES = 640 * 1024

/** Memory that all windows of a worker share. */
export class WindowMemory {
  /** When hundreds of lanes begin at once, all that they load would be in memory before the first is sent. */
  readonly turns = new Semaphore(LANES_AT_A_TIME)
  readonly #limitBytes: number
  readonly #windows = new Set<PartitionWindow>()

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  add(window: PartitionWindow): void {
    this.#windows.add(window)
  }

  remove(window: PartitionWindow): void {
    this.#windows.delete(window)
  }

  /** Whether windows hold as much as they may load ahead of need. */
  isScarce(): boolean {
    let bytes = 0
    for (const { memoryBytes } of this.#windows) bytes += Math.min(memoryBytes, MAX_AHEAD_BYTES)
    return bytes > this.#limitBytes * AHEAD_PART
  }

  /** Bytes that are left for looking ahead. */
  leftBytes(): number {
    let usedBytes = 0
    for (const { memoryBytes } of this.#windows) usedBytes += memoryBytes
    return this.#limitBytes - usedBytes
  }
}

export interface LoadTarget {
  /** With this many bytes loaded the window is not refilled: few large reads instead of many small ones. */
  readonly enoughBytes: number
  /** Otherwise load until it has this many bytes … */
  readonly wantBytes: number
  /** Guaranteed bytes, and at least one chunk, regardless of other windows. */
  readonly leastBytes: number
  /** Have the next add announced once everything is loaded. */
  readonly watch: boolean
}

/**
 * Loads chunks until the window has `wantBytes` or holds all there is. Returns false when Redis
 * did not answer.
 */
export async function loadWindow(
  window: PartitionWindow,
  queue: Pick<PartitionQueue, 'peek'>,
  { enoughBytes, wantBytes, leastBytes, watch }: LoadTarget,
  memory: WindowMemory,
): Promise<boolean> {
  if (window.loadedBytes >= enoughBytes) return true
  for (;;) {
    const missing = wantBytes - window.loadedBytes
    // One that would go beyond it is not worth another look.
    const enough = window.loadedBytes >= enoughBytes && missing <= window.lastBytes
    if (!window.hasUnloaded || window.lost || missing <= 0 || enough) return true
    const allowed = Math.max(leastBytes - window.memoryBytes, memory.leftBytes())
    if (allowed <= 0 && window.chunks.length > 0) return true
    // Cleared before the look: a wake-up during it means another one.
    window.stale = false
    window.watched = watch
    try {
      // Redis may hold them compressed; at least one chunk is returned.
      const stored = Math.min(missing / window.expansion, allowed / window.memoryExpansion)
      const { waiting, chunks, unreadable } = await queue.peek(
        window.chunks.length,
        CHUNKS_PER_LOOK,
        Math.max(1, Math.floor(stored)),
        watch,
      )
      window.load(chunks, waiting)
      window.unreadable = unreadable
      if (chunks.length === 0) return true
    } catch {
      window.stale = true
      return false
    }
  }
}

/** A part of Redis that does not answer must not hold up lanes that need others, ms. */
const MAX_TURN_MS = 100

/** A FIFO semaphore for work that takes memory. */
export class Semaphore {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(atATime: number) {
    this.#free = atATime
  }

  /** Runs `work` with a permit. Work that takes too long continues, but gives up its permit. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((begin) => this.#waiting.push(begin))
    const turn = { isOver: false }
    const end = (): void => {
      if (!turn.isOver) this.#pass()
      turn.isOver = true
    }
    const timer = setTimeout(end, MAX_TURN_MS)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      end()
    }
  }

  #pass(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
