import type { EventEmitter } from 'node:events'

/** Longest wait of work for new connections, ms. */
const MAX_WAIT_MS = 20

/**
 * Lets new connections go before work that can wait. Node accepts one per turn of the event loop, in
 * their order, so a producer's new connection would wait for as many turns full of work as there are
 * others before it.
 */
export class NewConnections {
  #hasCome = false
  #waitsSinceMs: number | null = null

  watch(server: EventEmitter): void {
    server.on('connection', () => (this.#hasCome = true))
  }

  /** Whether work waits for the next turn: a connection came in this one, so that others may follow. */
  goFirst(): boolean {
    const nowMs = performance.now()
    const hasCome = this.#hasCome
    this.#hasCome = false
    if (hasCome) this.#waitsSinceMs ??= nowMs
    if (hasCome && nowMs - (this.#waitsSinceMs ?? nowMs) < MAX_WAIT_MS) return true
    this.#waitsSinceMs = null
    return false
  }
}
