interface Watcher {
  readonly seen: () => boolean
  readonly resolve: () => void
}

/** Lets a test wait for something to have happened, without polling and without sleeping. */
export class Watchers {
  readonly #waiting = new Set<Watcher>()

  /** Something happened: whoever waited for it goes on. */
  notify(): void {
    for (const watcher of this.#waiting) {
      if (!watcher.seen()) continue
      this.#waiting.delete(watcher)
      watcher.resolve()
    }
  }

  /** Resolves once `seen` says yes, asked now and on every change; rejects after `timeoutMs`. */
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
