import { parseSimulatorEnvironment } from '@relay/simulator/environment.js'
import { startSimulator, type Simulator } from '@relay/simulator/simulator.js'
import type { SilentDropReason } from '@relay/simulator/vendor/silent-drops.js'
import { between, seededRandom, pick } from '@relay/shared/seeded-random.js'
import type { Random } from '@relay/shared/random.js'
import { assess } from '../../src/accept/assess.js'
import { NOW_MS, workspace } from '../support/workspace.js'

/**
 * The simulator drops what MoEngage's pages say is dropped or changed in silence; it shares nothing
 * with relay's rules. Of all that it drops, relay must have said something.
 */

const ELEMENTS = Number(process.env.FUZZ_RUNS ?? 10_000)
const SEED = 20261129
const TIME = '2026-11-23T11:59:00Z'

type Obj = Record<string, unknown>

interface Drop {
  readonly reason: string
  readonly path: string
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

/** At random: more than one loss, or none. */
function anyElement(random: Random): Obj {
  // Null members count as absent: relay leaves them out.
  const more: Obj = random.next() < 0.2 ? { [pick(random, MEMBER_NAMES)]: value(random) ?? 1 } : {}
  const action = () => ({
    action: 'Viewed',
    current_time: '2026-11-23T11:59:00Z',
    attributes: attributes(random),
    ...(random.next() < 0.2 ? { [pick(random, MEMBER_NAMES)]: value(random) } : {}),
  })
  switch (Math.floor(random.next() * 3)) {
    case 0:
      return { type: 'customer', attributes: attributes(random), ...more }
    case 1:
      return { type: 'event', actions: [action(), action()], ...more }
    default:
      return {
        type: 'device',
        device_id: 'd',
        attributes: { platform: 'iOS', push_id: 'p', ...attributes(random) },
        ...more,
      }
  }
}

const many = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i)) // prettier-ignore
const keys = (count: number, value: unknown = 1) => Object.fromEntries(many(count, (i) => [`k${i}`, value])) // prettier-ignore
const more = (random: Random, least: number) => between(random, least, least + 99)

/** A value, as an attribute of a user or an event or as a member of an object there. */
const VALUES: Record<string, [SilentDropReason, (random: Random) => unknown]> = {
  null: ['null_value', () => null],
  'URL over 512': ['long_url', (r) => `${pick(r, ['http', 'https', 'HTTPS'])}://a.example/${'y'.repeat(more(r, 500))}`],
  'text over 512': ['long_text', (r) => pick(r, ['x', 'é', '😀']).repeat(more(r, 513))],
  'mixed array': ['mixed_array', (r) => pick(r, [[1, 'x'], ['x', { a: 1 }], [1, null], ['x', true]])],
  'boolean array': ['mixed_array', (r) => many(1 + more(r, 0), () => r.next() < 0.5)],
  'array in an array': ['mixed_array', () => [['x'], ['y']]],
  'array over 50': ['long_array', (r) => many(more(r, 51), (i) => i)],
  'array of over 100 objects': ['long_array', (r) => many(more(r, 101), (i) => ({ i }))],
  'empty object': ['empty_object', () => ({})],
  'object over 100 keys': ['many_keys', (r) => keys(more(r, 101))],
  'object over 25 KB': ['large_object', (r) => keys(80, 'z'.repeat(more(r, 400)))],
  'object in the third level': ['deep_object', (r) => ({ a: { b: pick<unknown>(r, [{ c: 1 }, [{ c: 1 }]]) } })],
  ...Object.fromEntries(['$', '.', '%', '#'].map((c) => [`${c} in a name`, ['unsupported_name', () => ({ [`a${c}b`]: 1 })]])),
  'name over 200': ['long_name', (r) => ({ ['n'.repeat(more(r, 201))]: 1 })],
} // prettier-ignore

const user = (attributes: Obj, rest: Obj = {}) => ({ type: 'customer', attributes: { city: 'Rome', ...attributes }, ...rest }) // prettier-ignore
const event = (attributes: Obj, rest: Obj = {}) => ({ type: 'event', actions: [{ action: 'Viewed', current_time: TIME, attributes, ...rest }] }) // prettier-ignore
const device = (attributes: Obj) => ({ type: 'device', device_id: 'd', attributes: { platform: 'iOS', push_id: 'p', ...attributes } }) // prettier-ignore
const unset = (entry: unknown) => user({ old: 1 }, { unset_attributes: [entry] })
const operator = (r: Random) => pick(r, ['addValueToArrayField', 'removeValueFromArrayField'])
const misspelt = (r: Random) => pick(r, ['addValueToArrayfield', 'AddValueToArrayField', 'add_value_to_array_field', 'addValuesToArrayField', 'removeValueFromArrayFields', 'removeValueToArrayField', 'REMOVE_VALUE_FROM_ARRAY_FIELD']) // prettier-ignore

const WHOLE: Record<string, [SilentDropReason | 'invalid', (random: Random) => Obj]> = {
  'reserved name': ['reserved_name', (r) => user({ [pick(r, ['status', 'user_id', 'source', 'INSTALL', 'UPDATE', 'MOE_GAID', 'MOE_ISLAT', 'MOE_TIME_FORMAT', 'MOE_TIME_TIMEZONE', 'USER_ATTRIBUTE_USER_EMAIL'])]: 'x' })],
  'empty text': ['empty_text', (r) => pick(r, [user, event])({ a: '' })],
  'unknown member': ['unknown_member', (r) => user({}, { [pick(r, MEMBER_NAMES.slice(0, 3))]: { a: 1 } })],
  'unknown member of an action': ['unknown_member', (r) => event({}, { [pick(r, MEMBER_NAMES)]: 1 })],
  'unlisted device attribute': ['device_attribute', (r) => device({ [pick(r, ['color', 'os', 'locale', 'addValueToArrayField'])]: 'red' })],
  'over 100 event attributes': ['many_attributes', (r) => event(keys(more(r, 101)))],
  'customer_id undefined': ['placeholder_id', (r) => user({}, { customer_id: pick(r, ['undefined', 'NaN', '[object Object]', 'a\nb']) })],
  'blank event name': ['blank_action', (r) => event({}, { action: pick(r, [' ', '\t', '  ']) })],
  'event name over 200': ['long_name', (r) => event({}, { action: 'n'.repeat(more(r, 201)) })],
  'object in a standard attribute': ['standard_object', (r) => pick(r, [user({ [pick(r, ['u_n', 'u_em', 'uid', 'geo', 'cr_t', 'moe_mweb', 'moe_mobile'])]: pick<unknown>(r, [{ a: 1 }, [{ a: 1 }]]) }), event({ moe_mobile: { a: 1 } }), device({ model: { a: 1 } })])],
  'malformed unset_attributes': ['unset_entry', (r) => pick(r, [unset('old'), unset({ attr: 'x' }), unset({ type: 'equals' }), unset({ type: 'Equals', attr: 'x' }), unset({ type: 'prefix', attr: ' ' }), unset({ type: 'equals', attr: 'x', case_sensitive: 'no' }), unset({ type: 'equals', attr: 'customer_id' }), user({}, { unset_attributes: pick<unknown>(r, [[], {}, 'old']) })])],
  'set and unset': ['unset_wins', (r) => unset(pick(r, [{ type: 'equals', attr: 'old' }, { type: 'prefix', attr: 'OL', case_sensitive: false }, { type: 'suffix', attr: 'd' }, { type: 'contains', attr: 'l' }]))],
  'set and add': ['set_and_changed', (r) => user({ tags: ['a'], [operator(r)]: { tags: ['b'] } })],
  'operator on platforms': ['operator_on_reserved', (r) => user({ [operator(r)]: { platforms: ['web'] } })],
  'operator with a scalar': ['no_operator', (r) => user({ [operator(r)]: { tags: 'b' } })],
  'operator with an array': ['invalid', (r) => user({ [operator(r)]: ['b'] })],
  'operator with a mixed array': ['mixed_array', (r) => user({ [operator(r)]: { tags: [1, 'b'] } })],
  'operator in a wrong spelling': ['no_operator', (r) => pick(r, [user, event])({ [misspelt(r)]: pick<unknown>(r, [{ tags: ['b'] }, ['b']]) })],
  'operator in an event': ['no_operator', (r) => event({ [operator(r)]: { tags: ['b'] } })],
  'type Customer': ['invalid', () => ({ ...user({}), type: 'Customer' })],
  'blocked customer_id': ['invalid', () => user({}, { customer_id: 'guest' })],
  'reserved prefix': ['invalid', (r) => pick(r, [user, event])({ moe_x: 1 })],
} // prettier-ignore

const KINDS = [
  ...Object.entries(WHOLE).map(([kind, [reason, make]]) => ({ kind, reason, make })),
  ...Object.entries(VALUES).map(([kind, [reason, value]]) => ({
    kind,
    reason,
    make: (random: Random) => {
      const isInside = random.next() < 0.3 && reason !== 'deep_object'
      const made = isInside ? { in: value(random) } : value(random)
      return pick(random, [user, event])({ a: made })
    },
  })),
]

/** The places of relay's warnings of an element; null: it is refused, which the producer sees. */
function saidOf(json: string): string[] | null {
  const outcome = assess(Buffer.from(`{"type":"transition","elements":[${json}]}`), {
    endpoint: 'transition',
    workspaceLimits: workspace('A').limits,
    limits: { maxElements: 10, maxFindings: 1_000 },
    nowMs: NOW_MS,
  })
  if (!outcome.ok) throw new Error(outcome.fault.message)
  const { problemCount, warnings } = outcome.assessment.findings
  return problemCount > 0 ? null : warnings.map(({ attribute }) => attribute.replace(/…$/, ''))
}

/** Bodies that are small enough. */
function* packed(elements: readonly string[]): Generator<string[]> {
  let body: string[] = []
  let bytes = 0
  for (const element of elements) {
    const more = Buffer.byteLength(element) + 1
    if (bytes + more > 120_000) {
      yield body
      body = []
      bytes = 0
    }
    body.push(element)
    bytes += more
  }
  yield body
}

async function post(url: string, elements: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/json', 'moe-appkey': 'A', authorization: `Basic ${btoa('A:key')}` } // prettier-ignore
  const body = `{"type":"transition","elements":[${elements.join(',')}]}`
  const answer = await fetch(`${url}/v1/transition/A`, { method: 'POST', headers, body })
  expect([answer.status, await answer.text()]).toEqual([200, expect.anything()])
}

/** Whether a warning is at this very place; long paths are cut. */
function isAt(at: string, path: string): boolean {
  return at === path || (at.length >= 300 && path.startsWith(at))
}

let simulator: Simulator
afterAll(() => simulator.close())

it(`what MoEngage would drop in silence of ${ELEMENTS} elements, relay refuses or warns of`, async () => {
  const env = { SIM_PRESET: 'newer', SIM_WORKSPACES: 'A:key', SIM_ENFORCE_LIMITS: 'false', SIM_CUSTOMER_LIMITS: 'off', PORT: '0' } // prettier-ignore
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => NOW_MS }
  simulator = await startSimulator(parseSimulatorEnvironment(env), clock)
  const random = seededRandom(SEED)
  const lost = new Map<string, Drop[]>()
  const made = many(ELEMENTS, (i) => {
    const kind = i % 2 === 0 ? null : KINDS[(i >> 1) % KINDS.length]!
    let json: string
    do {
      const element = kind === null ? anyElement(random) : kind.make(random)
      json = JSON.stringify({ customer_id: `c${i}`, ...element })
      // One that is too large for a body is made again.
    } while (Buffer.byteLength(json) > 119_000)
    return { kind, json }
  })
  for (const elements of packed(made.map(({ json }) => json))) {
    const { newest } = simulator.record.drops
    const before = newest.last
    await post(simulator.url, elements)
    // The drops of an element stand together and share its bytes.
    let bytes: Buffer | null = null
    let drops: Drop[] = []
    for (const { raw, reason, path } of newest.after(before, Infinity)) {
      if (raw !== bytes) lost.set(String(raw), (drops = []))
      bytes = raw
      drops.push({ reason, path })
    }
  }

  const silent: string[] = []
  let accepted = 0
  for (const { json } of made) {
    const said = saidOf(json)
    if (said === null) continue
    accepted++
    for (const { reason, path } of lost.get(json) ?? []) {
      // What is cleared as well as set is said of the entry that clears it.
      const isSaid = (at: string) =>
        reason === 'unset_wins' ? at.startsWith('unset_attributes[') : isAt(at, path)
      if (!said.some(isSaid)) silent.push(`${reason} ${path} of ${json.slice(0, 1_000)}`)
    }
  }
  expect(silent).toEqual([])
  // The search must see every kind of loss, each time that it makes one, and elements that are whole.
  const missed = made.filter(({ kind, json }) => {
    return kind !== null && !lost.get(json)?.some(({ reason }) => reason === kind.reason)
  })
  expect(missed.map(({ kind, json }) => `${kind?.kind} ${json.slice(0, 1_000)}`)).toEqual([])
  const { byReason } = simulator.record.drops
  const own = ['fair_usage_policy', 'unknown_project']
  expect(
    Object.entries(byReason).filter(([reason, count]) => count === 0 && !own.includes(reason)),
  ).toEqual([])
  expect(made.length - lost.size).toBeGreaterThan(ELEMENTS / 20)
  expect(accepted).toBeGreaterThan(ELEMENTS / 3)
}, 300_000)
