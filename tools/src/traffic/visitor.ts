import type { Random } from '@relay/shared/random.js'
import { between, pick } from '@relay/shared/seeded-random.js'
import { CITIES, FIRST_NAMES, LAST_NAMES } from './catalogue.js'

/** One person, always the same for the same number. */
export interface Visitor {
  readonly customerId: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly mobile: string
  readonly city: string
  readonly platform: 'ANDROID' | 'iOS' | 'web'
  readonly deviceId: string
  readonly appVersion: string
}

export const hex = (random: Random, bytes: number) => random.bytes(bytes).toString('hex')

/**
 * A customer's number, few of them very often: a rank of a continuous Zipf distribution
 * (exponent 1.1), so that a hundred of 10,000 customers are drawn more often than all others together.
 */
export function drawCustomer(random: Random, customers: number): number {
  const s = 0.1
  const top = 1 - Math.pow(customers, -s)
  const rank = Math.pow(1 - random.next() * top, -1 / s)
  return Math.min(customers - 1, Math.floor(rank) - 1)
}

export function visitorOf(random: Random, number: number): Visitor {
  const firstName = pick(random, FIRST_NAMES)
  const lastName = pick(random, LAST_NAMES)
  const platform = pick(random, ['ANDROID', 'ANDROID', 'iOS', 'web'] as const)
  const mailName = `${firstName}.${lastName}`.normalize('NFD').replace(/[^A-Za-z.]/g, '')
  return {
    customerId: `cust-${String(100_000 + number)}`,
    firstName,
    lastName,
    email: `${mailName.toLowerCase()}${String(number)}@example.com`,
    mobile: `+49151${String(10_000_000 + number)}`,
    city: pick(random, CITIES),
    platform,
    deviceId: hex(random, 8),
    appVersion: platform === 'web' ? 'web-2026.11' : `7.${String(between(random, 0, 14))}.2`,
  }
}
