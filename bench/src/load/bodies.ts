import { shopTraffic } from '@relay/tools/traffic/shop.js'
import { systemClock } from '@relay/shared/clock.js'

const SEED = 7

/** The first `count` elements of a shop, with times, so that they leave as they came. */
export function elementTexts(count: number, seed = SEED): string[] {
  const traffic = shopTraffic({ seed, nowMs: () => systemClock.nowMs() })
  return Array.from({ length: count }, () => JSON.stringify(traffic.next().value))
}

/** Bodies of `perPost` elements each, as producers post them to `/v1/transition`. */
export function postBodies(elements: readonly string[], perPost: number): Buffer[] {
  const bodies: Buffer[] = []
  for (let from = 0; from < elements.length; from += perPost) {
    const list = elements.slice(from, from + perPost).join(',')
    bodies.push(Buffer.from(`{"type":"transition","elements":[${list}]}`))
  }
  return bodies
}

/** Mean length of an element's text, bytes of UTF-8. */
export function meanBytes(elements: readonly string[]): number {
  return elements.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / elements.length
}
