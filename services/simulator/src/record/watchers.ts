interface Watcher {
  readonly seen: () => boolean
  readonly resolve: () => void
}

/** Lets a test wait for an event without polling or sleeping. */
export class Watchers {
  readonly #waiting = new Set<Watcher>()

  /** Resolves the waiters whose event has happened. */
  notify(): void {
    for (const watcher of this.#waiting) {
      if (!watcher.seen()) continue
      this.#waiting.delete(watcher)
      watcher.resolve()
    }
  }

  /** Resolves once `seen` returns true, now or on a change; rejects after `timeoutMs`. */
  until(seen: () => boolean, timeoutMs: number, describe: () => string): Promise<void> {
    if (seen()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(watcher)
        reject(new Error(`not seen within ${String(timeoutMs)} ms: ${describe()}`))
      }, timeoutMs)
      const watcher: Watcher = {
        seen,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting.add(watcher)
    })
  }
}
