import type { Random } from './random.js'

/**
 * Reproducible randomness: one seed, one sequence (sfc32, 128 bits of state). For simulations,
 * tests and traffic; never for secrets.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = seed | 0
  let counter = 1
  const next32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // Seeds that differ in one bit only part ways after a few rounds.
  for (let i = 0; i < 15; i++) next32()
  return {
    next: () => next32() / 0x1_0000_0000,
    bytes: (length) => {
      const bytes = Buffer.alloc(length)
      for (let i = 0; i < length; i++) bytes[i] = next32() & 0xff
      return bytes
    },
  }
}

/** A whole number from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1))
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability
}
