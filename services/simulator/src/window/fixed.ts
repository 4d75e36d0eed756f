/** Sums over windows that begin at multiples of `windowMs` of the wall clock ("per minute"). */
export class FixedWindow {
  readonly windowMs: number
  #index = -1
  #sum = 0

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  used(nowMs: number): number {
    const index = Math.floor(nowMs / this.windowMs)
    if (index !== this.#index) {
      this.#index = index
      this.#sum = 0
    }
    return this.#sum
  }

  add(nowMs: number, units: number): void {
    this.#sum = this.used(nowMs) + units
  }
}
