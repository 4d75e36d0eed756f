import { nowMs } from '../clock.js'
import type { Disturbance } from '../oracle/model.js'

const LOOK_EVERY_MS = 50
/** This process could not run for so long: relay's processes could not either, perhaps. */
const BUSY_MS = 500

/**
 * Notices when the machine itself stops: that is a fault no one injected, and it explains what a
 * frozen process explains.
 */
export class MachineWatch {
  readonly stalls: Disturbance[] = []
  readonly #timer: NodeJS.Timeout
  #lastMs = nowMs()

  constructor() {
    this.#timer = setInterval(() => {
      this.#look()
    }, LOOK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  hasStalledSince(sinceMs: number): boolean {
    return this.stalls.some(({ toMs }) => toMs >= sinceMs)
  }

  #look(): void {
    const now = nowMs()
    const fromMs = this.#lastMs
    this.#lastMs = now
    if (now - fromMs < BUSY_MS) return
    this.stalls.push({ name: 'machine', fromMs, toMs: now, loses: 'both', mayLinger: true })
  }
}
