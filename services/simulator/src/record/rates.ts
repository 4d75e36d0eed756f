import type { Cost } from '../vendor/body.js'

export interface Second {
  /** Seconds since 1970. */
  readonly at: number
  requests: number
  accepted: number
  users: number
  events: number
  devices: number
  bytes: number
}

/** Two minutes, as the page shows. */
const KEPT_SECONDS = 120

/** Arrivals in each of the last seconds. */
export class Rates {
  #seconds: Second[] = []

  arrived(nowMs: number, bytes: number): void {
    const second = this.#at(nowMs)
    second.requests += 1
    second.bytes += bytes
  }

  accepted(nowMs: number, cost: Cost): void {
    const second = this.#at(nowMs)
    second.accepted += 1
    second.users += cost.users
    second.events += cost.events
    second.devices += cost.devices
  }

  /** Seconds in which anything happened, oldest first. */
  since(nowMs: number): readonly Second[] {
    this.#forget(nowMs)
    return this.#seconds
  }

  #at(nowMs: number): Second {
    const at = Math.floor(nowMs / 1000)
    const newest = this.#seconds.at(-1)
    if (newest?.at === at) return newest
    const second = { at, requests: 0, accepted: 0, users: 0, events: 0, devices: 0, bytes: 0 }
    this.#seconds.push(second)
    this.#forget(nowMs)
    return second
  }

  #forget(nowMs: number): void {
    const from = Math.floor(nowMs / 1000) - KEPT_SECONDS
    if ((this.#seconds[0]?.at ?? Infinity) >= from) return
    this.#seconds = this.#seconds.filter((s) => s.at >= from)
  }
}
