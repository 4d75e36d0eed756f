/** Something to wait for that may be announced many times; announcements before a wait are kept. */
export class WakeUp {
  #raised = false
  #wake: (() => void) | null = null

  raise(): void {
    this.#raised = true
    this.#wake?.()
  }

  /** Resolves when raised, or after `timeoutMs` (Infinity: never). Clears the announcement. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#raised && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = Number.isFinite(timeoutMs) ? setTimeout(resolve, timeoutMs) : undefined
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = null
    this.#raised = false
  }
}
