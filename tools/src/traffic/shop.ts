import type { Random } from '@relay/shared/random.js'
import { seededRandom, between, chance, pick } from '@relay/shared/seeded-random.js'
import {
  CAMPAIGNS,
  drawCustomer,
  hex,
  PAYMENTS,
  PRODUCTS,
  visitorOf,
  type Product,
  type Visitor,
} from './catalogue.js'

/** An element as the Data API takes it. */
export type ShopElement = Readonly<Record<string, unknown>> & {
  readonly type: 'customer' | 'event' | 'device'
  readonly customer_id: string
}

export interface ShopOptions {
  /** Same seed, same elements. */
  readonly seed: number
  /** Clock of `current_time`; without it events carry none and the receiver stamps them. */
  readonly nowMs?: () => number
}

interface Session {
  readonly visitor: Visitor
  readonly id: string
  readonly campaign: string | null
  /** Elements not yet told, in order. */
  readonly steps: ShopElement[]
}

interface Shop {
  readonly random: Random
  readonly nowMs: (() => number) | null
  readonly known: Map<number, Visitor>
}

/** Concurrent sessions, so that elements of customers interleave. */
const OPEN_SESSIONS = 40
const CUSTOMERS = 20_000

/**
 * The endless traffic of a shop: sign-ups, devices, browsing, carts, orders, profile changes.
 * Elements of one customer come in the order in which they happened. Events are 150 to 900 bytes.
 */
export function* shopTraffic(options: ShopOptions): Generator<ShopElement, never> {
  const shop: Shop = {
    random: seededRandom(options.seed),
    nowMs: options.nowMs ?? null,
    known: new Map(),
  }
  const sessions: Session[] = []
  for (;;) {
    while (sessions.length < OPEN_SESSIONS) sessions.push(openSession(shop, sessions))
    const index = Math.floor(shop.random.next() * sessions.length)
    const step = sessions[index]?.steps.shift()
    if (step === undefined) sessions.splice(index, 1)
    else yield stamp(shop, step)
  }
}

export function shopElements(count: number, options: ShopOptions): ShopElement[] {
  const elements: ShopElement[] = []
  for (const element of shopTraffic(options)) {
    if (elements.length >= count) break
    elements.push(element)
  }
  return elements
}

/** An event happens when it is told, not when its session was made up. */
function stamp({ nowMs }: Shop, element: ShopElement): ShopElement {
  if (nowMs === null || element.type !== 'event') return element
  const current_time = new Date(nowMs()).toISOString()
  const actions = element.actions as readonly object[]
  return { ...element, actions: actions.map((action) => ({ ...action, current_time })) }
}

function openSession(shop: Shop, open: readonly Session[]): Session {
  const { random, known } = shop
  const number = freeCustomer(shop, open)
  const returning = known.get(number)
  const visitor = returning ?? visitorOf(random, number)
  known.set(number, visitor)
  const steps: ShopElement[] = []
  const campaign = chance(random, 0.35) ? pick(random, CAMPAIGNS) : null
  const session = { visitor, id: hex(random, 10), campaign, steps }
  if (returning === undefined) steps.push(signUp(visitor, random), ...firstDevice(visitor, random))
  else if (chance(random, 0.1)) steps.push(changedToken(visitor, random))
  visit(session, random)
  return session
}

/** One person has one session at a time. */
function freeCustomer({ random }: Shop, open: readonly Session[]): number {
  for (;;) {
    const number = drawCustomer(random, CUSTOMERS)
    const id = `cust-${100_000 + number}`
    if (open.every((s) => s.visitor.customerId !== id)) return number
  }
}

function visit(session: Session, random: Random): void {
  const { steps } = session
  const cart: Product[] = []
  steps.push(event(session, 'App Opened', { cold_start: chance(random, 0.6) }))
  if (chance(random, 0.4)) steps.push(search(session, random))
  const looks = between(random, 1, 8)
  for (let i = 0; i < looks; i += 1) {
    const product = pick(random, PRODUCTS)
    steps.push(event(session, 'Product Viewed', seen(product, random)))
    if (!chance(random, 0.22)) continue
    cart.push(product)
    steps.push(
      event(session, 'Added to Cart', { ...seen(product, random), cart_size: cart.length }),
    )
  }
  if (cart.length > 0 && chance(random, 0.45)) order(session, cart, random)
  else if (chance(random, 0.15)) steps.push(preferences(session.visitor, random))
}

function search(session: Session, random: Random): ShopElement {
  const { title, category } = pick(random, PRODUCTS)
  return event(session, 'Searched', {
    query: title.split(' ').slice(1, 3).join(' ').toLowerCase(),
    category,
    results: between(random, 0, 240),
    sort: pick(random, ['relevance', 'price_asc', 'newest']),
  })
}

function seen({ sku, title, brand, category, priceCents }: Product, random: Random) {
  return {
    product_id: sku,
    product_name: title,
    brand,
    category,
    price: priceCents / 100,
    currency: 'EUR',
    in_stock: chance(random, 0.93),
    position: between(random, 1, 48),
  }
}

function order(session: Session, cart: readonly Product[], random: Random): void {
  const { steps, visitor } = session
  const totalCents = cart.reduce((sum, p) => sum + p.priceCents, 0)
  const common = { value: totalCents / 100, currency: 'EUR', items: cart.length }
  steps.push(event(session, 'Checkout Started', common))
  if (chance(random, 0.3)) return
  const order_id = `O-${hex(random, 5).toUpperCase()}`
  const items = cart.slice(0, 3).map((p) => p.sku)
  const payment = pick(random, PAYMENTS)
  const shipping = pick(random, ['standard', 'express', 'pickup'])
  const placed = { ...common, order_id, skus: items, payment, shipping }
  steps.push(event(session, 'Order Placed', placed))
  steps.push(user(visitor, { last_order_id: order_id, last_order_value: totalCents / 100 }))
}

function event(session: Session, action: string, attributes: object): ShopElement {
  const { visitor, id, campaign } = session
  const utm = campaign === null ? {} : { utm_campaign: campaign, utm_medium: 'email' }
  const { platform, appVersion, deviceId, customerId } = visitor
  const entry = {
    action,
    attributes: { ...attributes, session_id: id, ...utm },
    platform,
    app_version: appVersion,
    user_timezone_offset: 3600,
  }
  return { type: 'event', customer_id: customerId, device_id: deviceId, actions: [entry] }
}

function user({ customerId }: Visitor, attributes: object): ShopElement {
  return { type: 'customer', customer_id: customerId, attributes }
}

function signUp(visitor: Visitor, random: Random): ShopElement {
  return user(visitor, {
    name: `${visitor.firstName} ${visitor.lastName}`,
    first_name: visitor.firstName,
    last_name: visitor.lastName,
    u_em: visitor.email,
    u_mb: visitor.mobile,
    city: visitor.city,
    loyalty_points: 0,
    newsletter: chance(random, 0.4),
    moe_email_optin_status: chance(random, 0.5) ? 'DOUBLE_OPTED_IN' : 'OPT_IN_PENDING',
  })
}

function preferences(visitor: Visitor, random: Random): ShopElement {
  return user(visitor, {
    loyalty_points: between(random, 10, 4_000),
    favourite_category: pick(random, PRODUCTS).category,
    newsletter: chance(random, 0.5),
  })
}

function firstDevice(visitor: Visitor, random: Random): ShopElement[] {
  return visitor.platform === 'web' && chance(random, 0.7) ? [] : [changedToken(visitor, random)]
}

function changedToken(visitor: Visitor, random: Random): ShopElement {
  const { customerId, deviceId, platform, appVersion } = visitor
  const attributes = {
    platform,
    push_id: hex(random, 32),
    model: pick(random, ['Pixel 10', 'Galaxy S26', 'iPhone 17', 'Fairphone 6']),
    app_version: appVersion,
    os_version: String(between(random, 13, 26)),
    moe_push_opted: chance(random, 0.8) ? 'True' : 'False',
  }
  return { type: 'device', customer_id: customerId, device_id: deviceId, attributes }
}

/** Every so often a campaign goes out and the shop is busy for a while. */
const CYCLE_MS = 20_000
const BURST_MS = 3_000
const BURST_FACTOR = 3
/** So that the mean over a cycle is 1. */
const CALM_FACTOR = (CYCLE_MS - BURST_MS * BURST_FACTOR) / (CYCLE_MS - BURST_MS)

/** Elements that are due `elapsedMs` after the start, at `rate` elements a second on average. */
export function elementsDue(elapsedMs: number, rate: number): number {
  const cycles = Math.floor(elapsedMs / CYCLE_MS)
  const intoMs = elapsedMs - cycles * CYCLE_MS
  const calmMs = Math.min(intoMs, CYCLE_MS - BURST_MS)
  const burstMs = intoMs - calmMs
  const weightedMs = cycles * CYCLE_MS + calmMs * CALM_FACTOR + burstMs * BURST_FACTOR
  return Math.floor((weightedMs * rate) / 1000)
}
