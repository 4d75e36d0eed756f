import type { Partition } from '@relay/shared/queue/keys.js'
import type { TracedElement } from '@relay/shared/queue/chunk.js'
import type {
  ChunkCounts,
  PartlySettled,
  WaitingChunk,
} from '@relay/shared/queue/partition-queue.js'

/** Memory of an element in addition to its JSON, and of a chunk in addition to its elements, bytes. */
const ELEMENT_OVERHEAD_BYTES = 100
const CHUNK_OVERHEAD_BYTES = 500

/** A chunk in memory, with its settled elements marked. */
export class LoadedChunk {
  readonly id: string
  /** Size in Redis. */
  readonly bytes: number
  /** Its elements' text, which Redis may hold compressed. */
  readonly jsonBytes: number
  readonly elements: readonly TracedElement[]
  readonly #done: Uint8Array
  remaining: number

  constructor({ id, bytes, elements, done }: WaitingChunk) {
    this.id = id
    this.bytes = bytes
    this.elements = elements
    this.#done = new Uint8Array(elements.length)
    this.remaining = elements.length
    let total = 0
    for (const [i, { jsonBytes }] of elements.entries()) {
      total += jsonBytes
      // An erased element has no text and is not sent.
      if (jsonBytes === 0 || ((done[i >> 3] ?? 0) >> (i & 7)) & 1) this.markDone(i)
    }
    this.jsonBytes = total
  }

  /** Size in this process. */
  get memoryBytes(): number {
    return this.jsonBytes + this.elements.length * ELEMENT_OVERHEAD_BYTES + CHUNK_OVERHEAD_BYTES
  }

  isDone(index: number): boolean {
    return this.#done[index] === 1
  }

  markDone(index: number): void {
    if (this.#done[index] === 1) return
    this.#done[index] = 1
    this.remaining -= 1
  }

  /** Takes elements that are not to be sent for done. */
  markWhere(isDone: (element: TracedElement, index: number) => boolean): void {
    this.elements.forEach((element, i) => {
      if (isDone(element, i)) this.markDone(i)
    })
  }

  /** Update for Redis of a partly settled chunk. */
  partlySettled(): PartlySettled {
    const bitmap = Buffer.alloc((this.elements.length + 7) >> 3)
    const left = { bytes: 0, user: 0, event: 0, device: 0 }
    this.elements.forEach(({ kind, posted }, i) => {
      if (this.isDone(i)) bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7))
      else left[kind] += posted
    })
    // The chunk keeps its memory until all of it is settled.
    const counts: ChunkCounts = { ...left, bytes: this.bytes }
    return { id: this.id, done: bitmap, counts }
  }
}

/** An element in a window. Batches consist of items. */
export interface Item {
  readonly window: PartitionWindow
  readonly chunk: LoadedChunk
  readonly index: number
  readonly element: TracedElement
}

/** Customers are ordered within a partition. */
export function customerOf({ window, element }: Item): string {
  return `${window.tag} ${element.customer}`
}

/**
 * The oldest chunks of an owned partition, in memory, exactly as they stand in Redis: only the
 * owner removes chunks, and new ones go behind.
 */
export class PartitionWindow {
  readonly tag: string
  readonly partition: Partition
  /** The owner's claim: fences every settle. */
  readonly claim: string
  /** Oldest first. */
  chunks: LoadedChunk[] = []
  /** Chunks in Redis by the last reply; at least those loaded. */
  waiting = 0
  /** Whether Redis may have more than `waiting`: after a wake-up, and before the first read. */
  stale = true
  /** The last look asked for a wake-up by the next add. */
  watched = false
  /** Others should have it: nothing new is started, and it is released once idle. */
  retiring = false
  /** The claim is lost: nothing of it may be sent or settled any more. */
  lost = false
  /** Lost only because Redis restarted: this worker is about to claim the partition again. */
  mayReturn = false
  /** Format of the chunk behind the loaded ones that this process cannot read; null: none is known. */
  unreadable: number | null = null
  /** Monotonic time at which the oldest unsent element was first seen here, ms. */
  readyAtMs = 0

  /** Id of the last settle of the partition as Redis confirmed it, '' for none. */
  lastSettle: string
  #settles = 0

  constructor(tag: string, partition: Partition, claim: string, lastSettle = '') {
    this.tag = tag
    this.partition = partition
    this.claim = claim
    this.lastSettle = lastSettle
  }

  /** Id of a new settle, unique as claims are. */
  newSettle(): string {
    this.#settles += 1
    return `${this.claim}/${this.#settles}`
  }

  /** JSON of the loaded chunks, bytes. */
  loadedBytes = 0
  /** Memory of the loaded chunks, bytes. */
  memoryBytes = 0
  /** Ratio of a chunk's size in memory to its size in Redis, from the last one loaded. */
  expansion = 1
  memoryExpansion = 1
  /** JSON of the last chunk loaded, bytes. */
  lastBytes = 0

  get hasUnloaded(): boolean {
    return this.unreadable === null && (this.stale || this.waiting > this.chunks.length)
  }

  get hasWork(): boolean {
    return this.unreadable === null ? this.stale || this.waiting > 0 : this.chunks.length > 0
  }

  /** All that is left is for a newer worker. */
  get isUnreadable(): boolean {
    return this.unreadable !== null && this.chunks.length === 0
  }

  /** Whether nothing but user updates is loaded. */
  get hasOnlyUpdates(): boolean {
    return this.chunks.every(({ elements }) => elements.every(({ kind }) => kind === 'user'))
  }

  load(chunks: readonly WaitingChunk[], waiting: number): void {
    for (const chunk of chunks) {
      const loaded = new LoadedChunk(chunk)
      this.chunks.push(loaded)
      this.loadedBytes += loaded.jsonBytes
      this.memoryBytes += loaded.memoryBytes
      this.lastBytes = loaded.jsonBytes
      if (loaded.bytes === 0) continue
      this.expansion = Math.max(1, loaded.jsonBytes / loaded.bytes)
      this.memoryExpansion = Math.max(1, loaded.memoryBytes / loaded.bytes)
    }
    this.waiting = Math.max(waiting, this.chunks.length)
  }

  /** Marks items done; returns the update for Redis. */
  settle(items: readonly Item[]): { finished: string[]; partly: PartlySettled[] } {
    const touched = new Set<LoadedChunk>()
    let last: LoadedChunk | null = null
    for (const { chunk, index } of items) {
      chunk.markDone(index)
      if (chunk !== last) touched.add(chunk)
      last = chunk
    }
    return {
      finished: this.#leave([...touched].filter((chunk) => chunk.remaining === 0)),
      partly: [...touched].filter((c) => c.remaining > 0).map((c) => c.partlySettled()),
    }
  }

  /** Marks what a former window of the partition settled under this window's claim. */
  settledBefore(finished: readonly string[], partly: readonly PartlySettled[]): void {
    const done = new Map(partly.map((chunk) => [chunk.id, chunk.done]))
    for (const chunk of this.chunks) {
      const bits = done.get(chunk.id)
      const isGone = finished.includes(chunk.id)
      chunk.markWhere((_, i) => isGone || ((bits?.[i >> 3] ?? 0) & (1 << (i & 7))) !== 0)
    }
    this.#leave(this.chunks.filter(({ id }) => finished.includes(id)))
  }

  /** Drops fully erased chunks; returns their ids for the update of Redis. */
  takeErased(): string[] {
    return this.#leave(this.chunks.filter((chunk) => chunk.remaining === 0))
  }

  #leave(finished: readonly LoadedChunk[]): string[] {
    if (finished.length > 0) {
      const gone = new Set(finished)
      this.chunks = this.chunks.filter((chunk) => !gone.has(chunk))
      this.waiting -= finished.length
      for (const { jsonBytes, memoryBytes } of gone) {
        this.loadedBytes -= jsonBytes
        this.memoryBytes -= memoryBytes
      }
    }
    return finished.map((chunk) => chunk.id)
  }
}
