/**
 * Sums over every window of `windowMs`, exactly: a window is half-open, [start, start + windowMs),
 * so two moments share one if they are less than `windowMs` apart. Moments never go backwards.
 */
export class SlidingWindow {
  readonly windowMs: number
  #moments: { readonly atMs: number; readonly units: number }[] = []
  #head = 0
  #sum = 0
  /** The largest sum of any window so far. */
  peak = 0

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /** Units in the window that ends with this moment. */
  used(nowMs: number): number {
    let oldest = this.#moments[this.#head]
    while (oldest !== undefined && oldest.atMs <= nowMs - this.windowMs) {
      this.#sum -= oldest.units
      this.#head += 1
      oldest = this.#moments[this.#head]
    }
    if (this.#head > 1024 && this.#head * 2 > this.#moments.length) {
      this.#moments = this.#moments.slice(this.#head)
      this.#head = 0
    }
    return this.#sum
  }

  /** Time until the oldest counted units leave the window, ms; 0 if there are none. */
  firstLeavesInMs(nowMs: number): number {
    if (this.used(nowMs) === 0) return 0
    return (this.#moments[this.#head]?.atMs ?? nowMs) + this.windowMs - nowMs
  }

  add(nowMs: number, units: number): void {
    if (units === 0) return
    const used = this.used(nowMs)
    this.#moments.push({ atMs: nowMs, units })
    this.#sum = used + units
    this.peak = Math.max(this.peak, this.#sum)
  }

  forgetPeak(nowMs: number): void {
    this.peak = this.used(nowMs)
  }
}

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
