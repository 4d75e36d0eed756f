import { seededRandom, pick } from '@relay/shared/seeded-random.js'
import type { Random } from '@relay/shared/random.js'
import { assess } from '../../src/accept/assess.js'
import { NOW_MS, workspace } from '../support/workspace.js'

/**
 * A model of what MoEngage drops or changes in silence, written from its help pages and sharing
 * nothing with relay's rules: it walks plain values and says where something would be lost.
 */

const ELEMENTS = Number(process.env.FUZZ_RUNS ?? 10_000)
const SEED = 20261129

type Obj = Record<string, unknown>
const isObj = (value: unknown): value is Obj =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const MEMBERS: Record<string, string> = {
  customer: 'type customer_id attributes platforms update_existing_only unset_attributes',
  event: 'type customer_id device_id user_identifiers actions',
  device: 'type customer_id device_id attributes',
  action:
    'action attributes platform app_version user_time current_time user_timezone_offset moe_os_type',
}
const DEVICE_LIST =
  'platform push_id model moe_push_opted moe_push_provisional_opted app_version os_version moe_gaid idfv'
const RESERVED = 'MOE_TIME_FORMAT MOE_TIME_TIMEZONE MOE_GAID MOE_ISLAT INSTALL UPDATE status user_id source' // prettier-ignore
const knows = (list: string | undefined, name: string) => (list ?? '').split(' ').includes(name)

function lostMembers(object: Obj, kind: string): string[] {
  return Object.keys(object).filter((name) => !knows(MEMBERS[kind], name))
}

function lostValue(value: unknown, level: number, isTop: boolean): boolean {
  if (value === null) return true
  if (typeof value === 'string') return (isTop && value === '') || Array.from(value).length > 512
  if (Array.isArray(value)) {
    const kinds = new Set(value.map((item) => (isObj(item) ? 'object' : typeof item)))
    const most = value.every(isObj) ? 100 : 50
    if (value.length > most || kinds.size > 1) return true
    if (value.some((item) => Array.isArray(item) || item === null)) return true
    if (value.some((item) => typeof item === 'boolean')) return true
    return value.some((item) => lostValue(item, level, false))
  }
  if (!isObj(value)) return false
  const names = Object.keys(value)
  if (level > 2 || names.length === 0 || names.length > 100) return true
  if (Buffer.byteLength(JSON.stringify(value)) > 25_000) return true
  if (names.some((name) => /[$.%#]/.test(name) || name.length > 200)) return true
  return names.some((name) => lostValue(value[name], level + 1, false))
}

function lostAttributes(attributes: unknown, kind: string): string[] {
  if (!isObj(attributes)) return []
  const lost = Object.keys(attributes).filter((name) => {
    if (kind === 'device' && !knows(DEVICE_LIST, name)) return true
    if (kind === 'customer' && (knows(RESERVED, name) || name.startsWith('USER_ATTRIBUTE_'))) return true // prettier-ignore
    if (/[$.%#]/.test(name) || name.length > 200) return true
    const isOwn = kind === 'customer' && name === 'platforms'
    return !isOwn && lostValue(attributes[name], 1, true)
  })
  const isOver = kind === 'action' && Object.keys(attributes).length > 100
  return isOver ? [...lost, ''] : lost
}

/** Paths of which something is lost, less the places inside an attribute. */
function drops(element: Obj): string[] {
  const kind = String(element.type)
  const found = lostMembers(element, kind)
  if (kind !== 'event') {
    found.push(...lostAttributes(element.attributes, kind).map((name) => `attributes.${name}`))
  } else if (Array.isArray(element.actions)) {
    element.actions.forEach((action: unknown, i) => {
      if (!isObj(action)) return
      const at = `actions[${i}]`
      found.push(...lostMembers(action, 'action').map((name) => `${at}.${name}`))
      const lost = lostAttributes(action.attributes, 'action')
      found.push(...lost.map((name) => (name === '' ? `${at}.attributes` : `${at}.attributes.${name}`))) // prettier-ignore
    })
  }
  return found
}

/** Whether a warning is about a path, or a place inside it; paths are cut at 300 characters. */
function isWithin(at: string, path: string): boolean {
  const place = path.slice(0, 300)
  return at === place || at.startsWith(`${place}.`) || at.startsWith(`${place}[`)
}

const NAMES = [
  'city', 'u_n', 'u_em', 'u_mb', 'status', 'source', 'USER_ATTRIBUTE_X', 'INSTALL', 'a.b', 'price$', 'x%', '#y',
  'brand', 'model', 'app_version', 'platforms', 'n'.repeat(201), 'ключ', 'moe_mweb', 'moe_gaid',
] // prettier-ignore
const MEMBER_NAMES = ['props', 'attribute', 'device_id', 'platforms', 'actions', 'x', 'user_identifiers', 'time'] // prettier-ignore

function value(random: Random, depth = 0): unknown {
  const n = Math.floor(random.next() * (depth > 3 ? 7 : 12))
  switch (n) {
    case 0:
      return null
    case 1:
      return ''
    case 2:
      return 'x'.repeat(Math.floor(random.next() * 600))
    case 3:
      return random.next() < 0.5
    case 4:
    case 5:
      return Math.floor(random.next() * 1000) - 500
    case 6:
      return `https://a.example/${'y'.repeat(Math.floor(random.next() * 1000))}`
    case 7:
      return Array.from({ length: Math.floor(random.next() * 4) }, () => value(random, depth + 1))
    case 8: {
      const item = pick<() => unknown>(random, [() => 1, () => 'x', () => ({ k: 1 }), () => true])
      return Array.from({ length: Math.floor(random.next() * 120) }, item)
    }
    case 9:
      return Object.fromEntries(Array.from({ length: Math.floor(random.next() * 110) }, (_, i) => [`k${i}`, random.next() < 0.5 ? i : 'z'.repeat(400)])) // prettier-ignore
    default:
      return Object.fromEntries(
        Array.from({ length: Math.floor(random.next() * 3) }, () => [pick(random, NAMES), value(random, depth + 1)]), // prettier-ignore
      )
  }
}

function attributes(random: Random): Obj {
  const count = random.next() < 0.02 ? 101 : Math.floor(random.next() * 5)
  const name = (i: number) => (random.next() < 0.5 ? pick(random, NAMES) : `n${i}`)
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), value(random)]))
}

function element(random: Random): Obj {
  const more: Obj = random.next() < 0.2 ? { [pick(random, MEMBER_NAMES)]: value(random) } : {}
  const action = () => ({
    action: 'Viewed',
    current_time: '2026-11-23T11:59:00Z',
    attributes: attributes(random),
    ...(random.next() < 0.2 ? { [pick(random, MEMBER_NAMES)]: value(random) } : {}),
  })
  switch (Math.floor(random.next() * 3)) {
    case 0:
      return { type: 'customer', customer_id: 'ann', attributes: attributes(random), ...more }
    case 1:
      return { type: 'event', customer_id: 'ann', actions: [action(), action()], ...more }
    default:
      return {
        type: 'device',
        customer_id: 'ann',
        device_id: 'd',
        attributes: { platform: 'iOS', push_id: 'p', ...attributes(random) },
        ...more,
      }
  }
}

it(`what MoEngage would drop in silence of ${ELEMENTS} elements, relay refuses or warns of`, () => {
  const random = seededRandom(SEED)
  let dropped = 0
  let accepted = 0
  for (let i = 0; i < ELEMENTS; i++) {
    const made = element(random)
    const json = JSON.stringify(made)
    const outcome = assess(Buffer.from(`{"type":"transition","elements":[${json}]}`), {
      endpoint: 'transition',
      workspaceLimits: workspace('A').limits,
      limits: { maxElements: 10, maxFindings: 1_000 },
      nowMs: NOW_MS,
    })
    if (!outcome.ok) throw new Error(outcome.fault.message)
    const { findings } = outcome.assessment
    // Refused: the producer sees it at once.
    if (findings.problemCount > 0) continue
    accepted++
    const said = findings.warnings.map(({ attribute }) => attribute.replace(/…$/, ''))
    for (const path of drops(made)) {
      dropped++
      const isSaid = said.some((at) => isWithin(at, path))
      if (!isSaid) throw new Error(`nothing is said of ${path} in ${json.slice(0, 2_000)}`)
    }
  }
  // The search must see both: elements that are whole, and much that is lost.
  expect(accepted).toBeGreaterThan(ELEMENTS / 5)
  expect(dropped).toBeGreaterThan(ELEMENTS / 5)
})
