import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { PartitionWindow } from './window.js'

/** Chunks per look: bounds one script's work in Redis. */
const CHUNKS_PER_LOOK = 256

/** Memory that all windows of a worker share, bytes of chunks. */
export class WindowMemory {
  readonly #limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** How many bytes a window may still load; every window may have one look's worth. */
  allowance(window: PartitionWindow, leastBytes: number): number {
    return Math.max(leastBytes - window.loadedBytes, this.#limitBytes - this.#usedBytes)
  }

  changed(deltaBytes: number): void {
    this.#usedBytes += deltaBytes
  }
}

/**
 * Loads chunks until the window has `wantBytes` or holds all there is. Returns false when Redis
 * did not answer.
 */
export async function loadWindow(
  window: PartitionWindow,
  queue: PartitionQueue,
  wantBytes: number,
  memory: WindowMemory,
): Promise<boolean> {
  while (window.hasUnloaded && !window.lost && window.loadedBytes < wantBytes) {
    const bytes = Math.min(wantBytes - window.loadedBytes, memory.allowance(window, wantBytes))
    if (bytes <= 0) return true
    // Cleared before the look: a wake-up during it means another one.
    window.stale = false
    const before = window.loadedBytes
    try {
      const { waiting, chunks } = await queue.peek(window.chunks.length, CHUNKS_PER_LOOK, bytes)
      window.load(chunks, waiting)
      memory.changed(window.loadedBytes - before)
      if (chunks.length === 0) return true
    } catch {
      window.stale = true
      return false
    }
  }
  return true
}
