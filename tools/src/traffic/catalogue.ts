import type { Random } from '@relay/shared/random.js'
import { between, pick } from '@relay/shared/seeded-random.js'

/** What the shop sells and who buys: enough words that elements look, and compress, like real ones. */
export interface Product {
  readonly sku: string
  readonly title: string
  readonly brand: string
  readonly category: string
  /** Euro cents. */
  readonly priceCents: number
}

const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  'Shoes/Running': ['Trail Runner', 'Road Racer', 'Daily Trainer', 'Track Spike'],
  'Clothing/Jackets': ['Rain Shell', 'Down Parka', 'Wind Breaker', 'Soft Shell'],
  'Clothing/Shirts': ['Merino Tee', 'Linen Shirt', 'Training Top', 'Long Sleeve'],
  'Outdoor/Camping': ['Two-Person Tent', 'Sleeping Bag', 'Gas Stove', 'Head Torch'],
  'Cycling/Parts': ['Brake Set', 'Chain Ring', 'Handlebar Tape', 'Tubeless Tyre'],
  'Electronics/Watches': ['GPS Watch', 'Heart Rate Belt', 'Bike Computer', 'Altimeter'],
}
const BRANDS = ['Nordfjell', 'Kestrel', 'Orbea', 'Montañá', 'Süderwind', 'Hakone']
const COLOURS = ['Black', 'Ocean Blue', 'Moss Green', 'Ember Red', 'Sand']

const FIRST_NAMES = 'Anna Ben Chloé Deepak Elif Farid Greta Hugo Ines Jürgen Keiko Luca'
  .concat(' Maja Noor Oskar Priya Quentin Rosa Søren Tariq Ulla Vera Wei Yusuf Zoë')
  .split(' ')
const LAST_NAMES = 'Almeida Bauer Costa Dubois Eriksen Fischer García Horvat Ito Jansen Kaya'
  .concat(' Lindqvist Müller Novak Öztürk Patel Rossi Schmidt Tanaka Weber Zieliński')
  .split(' ')
const CITIES = ['Berlin', 'Köln', 'Wien', 'Zürich', 'Lyon', 'Porto', 'Kraków', 'Aarhus']
export const CAMPAIGNS = ['spring_sale', 'newsletter_w12', 'retargeting_cart', 'brand_search']
export const PAYMENTS = ['card', 'paypal', 'invoice', 'klarna', 'apple_pay']

/** The whole range: every title in every brand and colour, prices that stay the same. */
export const PRODUCTS: readonly Product[] = Object.entries(CATEGORIES).flatMap(
  ([category, titles], c) =>
    titles.flatMap((title, t) =>
      BRANDS.flatMap((brand, b) =>
        COLOURS.map((colour, i) => ({
          sku: `${category.slice(0, 2).toUpperCase()}-${c}${t}${b}${i}`,
          title: `${brand} ${title} ${colour}`,
          brand,
          category,
          priceCents: 990 + ((c * 7919 + t * 3571 + b * 1013 + i * 97) % 24_000),
        })),
      ),
    ),
)

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
    customerId: `cust-${100_000 + number}`,
    firstName,
    lastName,
    email: `${mailName.toLowerCase()}${number}@example.com`,
    mobile: `+49151${10_000_000 + number}`,
    city: pick(random, CITIES),
    platform,
    deviceId: hex(random, 8),
    appVersion: platform === 'web' ? 'web-2026.11' : `7.${between(random, 0, 14)}.2`,
  }
}
