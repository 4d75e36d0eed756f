import fc from 'fast-check'
import type { Kind } from '@relay/shared/element.js'
import { PartitionWindow, type Item } from '../../src/fetch/window.js'
import { plainElement } from './plain-element.js'
import { TAKEN } from './profile-model.js'

/** An element as its producer wrote it. */
export interface Written {
  readonly kind: Kind
  readonly customer: string
  readonly json: string
  readonly cost: number
}

const LONG_NAME = 'n'.repeat(200)

/** Attributes of everyday updates, and their values. */
const plainAttribute = fc.oneof(
  fc.tuple(fc.constantFrom('"score"', '"visits"'), fc.nat(99).map(String)),
  fc.tuple(fc.constantFrom('"city"', '"plan"'), fc.constantFrom('"Athens"', '"Zo\\u00eb"', '"x"')),
  fc.tuple(fc.constant('"active"'), fc.constantFrom('true', 'false')),
  fc.tuple(fc.constant('"paid"'), fc.constantFrom('1.10', '12.5', '-0.25')),
  fc.tuple(fc.constant('"seen"'), fc.constantFrom('"2026-01-02T03:04:05Z"', '"2026-02-03T04:05:06.789Z"')), // prettier-ignore
)

/** Names with a catch: escapes, another case, cut or read as a path, with a meaning at MoEngage. */
const NASTY_NAMES = [
  '"\\u0070lan"',
  '"Plan"',
  '"plan "',
  '"prefs"',
  '"prefs.city"',
  '"prefs city"',
  '"$plan"',
  `"${LONG_NAME}1"`,
  `"${LONG_NAME}2"`,
  '"__proto__"',
  '"u_em"',
  '"U_EM"',
  '"loyalty_card"',
  '"Loyalty_Card"',
  '"uid"',
  '"u_gd"',
  '"cr_t"',
  '"publisher_name"',
  '"moe_gaid"',
  '"moe_unsubscribe"',
  '"moe_email_optin_status"',
  '"geo"',
  '"platforms"',
  '"tags"',
  '"score"',
  '"plan"',
  '"city"',
  '"active"',
]

const NASTY_VALUES = [
  'null',
  '""',
  '"  "',
  '"null"',
  '"yes"',
  '"true"',
  'true',
  '0',
  '-0',
  '7',
  '1.10',
  '1.1',
  '1e3',
  '12345678901234567890',
  '"12"',
  '"1.5"',
  '"1e3"',
  '"2026-01-02T03:04:05Z"',
  '"2026-02-30T00:00:00Z"',
  '"2026-13-45T99:00:00Z"',
  '"2026-01"',
  '"Athens"',
  '"\\u0041thens"',
  '"\\u0031\\u0032"',
  '"a } , \\" ] b"',
  '"88.90 89.00"',
  '"\u{1f389}"',
  `"https://example.com/${'a'.repeat(600)}"`,
  `"${'long '.repeat(150)}"`,
  `"${TAKEN}"`,
  '"ann@example.com"',
  '"OPTED_OUT"',
  '[]',
  '["a","b"]',
  '["b"]',
  '{"city":"x"}',
  '{"$inc":1}',
  '[{"platform":"ANDROID","active":"true"}]',
  '[{"platform":"iOS","active":"false"}]',
]

const OPERATORS = [
  '"addValueToArrayField":{"tags":["c"]}',
  '"addValueToArrayField":{"tags":["a"]}',
  '"removeValueFromArrayField":{"tags":["a"]}',
]

/** What stands beside `attributes`: mostly nothing. */
const besides = fc.constantFrom(
  ...['', '', '', '', '', '', '"update_existing_only":true,', '"update_existing_only":false,'],
  ...['"replace_all":true,', '"platforms":[{"platform":"web","active":"true"}],'],
)

/** What one stream is made of: few names and values, so that they meet. */
interface Palette {
  readonly names: readonly string[]
  readonly values: readonly string[]
  /** Beside `attributes`, in most updates: so that they have a chance to be alike. */
  readonly beside: string
  readonly operators: boolean
  /** Updates have about half of the attributes that are read of one. */
  readonly wide: boolean
}

const palette: fc.Arbitrary<Palette> = fc.record({
  names: fc.uniqueArray(fc.constantFrom(...NASTY_NAMES), { minLength: 1, maxLength: 2 }),
  values: fc.uniqueArray(fc.constantFrom(...NASTY_VALUES), { minLength: 2, maxLength: 3 }),
  beside: besides,
  operators: fc.nat(9).map((n) => n === 0),
  wide: fc.nat(19).map((n) => n === 0),
})

const spelt = ([name, value]: readonly [string, string]) => `${name}:${value}`

function attributesOf({ names, values, operators }: Palette): fc.Arbitrary<string[]> {
  const nasty = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values))
  const one = fc.oneof(
    { weight: 10, arbitrary: plainAttribute.map(spelt) },
    { weight: 5, arbitrary: nasty.map(spelt) },
    { weight: operators ? 2 : 0, arbitrary: fc.constantFrom(...OPERATORS) },
  )
  const list = fc.array(one, { maxLength: 4 })
  // A name that occurs twice does not come from the intake, but is harmless too: kept sometimes.
  return fc.tuple(list, fc.nat(9)).map(([all, twice]) => (twice === 0 ? all : onceEach(all)))
}

function onceEach(list: readonly string[]): string[] {
  const nameOf = (text: string) => text.slice(0, text.indexOf(':'))
  return list.filter((text, i) => list.findIndex((t) => nameOf(t) === nameOf(text)) === i)
}

const customer = fc.constantFrom('c1', 'c1', 'c1', 'c1', 'c2', '')

function userOf(given: Palette): fc.Arbitrary<Written> {
  const beside = fc.oneof(
    { weight: 12, arbitrary: fc.constant(given.beside) },
    { weight: 1, arbitrary: besides },
  )
  const parts = { customer, attributes: attributesOf(given), beside }
  return fc
    .record({ ...parts, style: fc.nat(19), from: fc.constantFrom(0, 45) })
    .map(({ customer: id, attributes, beside: more, style, from }) => {
      const own = id === '' ? ['"u_mb":"4915"', ...attributes] : attributes
      const filler = Array.from({ length: 60 }, (_, i) => `"f${i + from}":${from}`)
      const body = `"attributes":{${[...own, ...(given.wide ? filler : [])].join()}}`
      const name = id === '' ? '' : `"customer_id":"${id}",`
      const json =
        style === 0
          ? `{${name}${more}${body},"type":"customer"}`
          : style === 1
            ? `{"type":"customer",${name}"attributes":{}}`
            : `{"type":"customer",${name}${more}${body}}`
      return { kind: 'user', customer: id, json, cost: 1 }
    })
}

const action = fc
  .record({ n: fc.nat(9), name: fc.constantFrom('Viewed', 'Said "[]{}\\\\"') })
  .map(({ n, name }) => `{"action":${JSON.stringify(name)},"attributes":{"n":${n}}}`)

const event: fc.Arbitrary<Written> = fc
  .record({
    customer,
    actions: fc.array(action, { minLength: 1, maxLength: 3 }),
    more: fc.constantFrom('', '', '', '"device_id":"d1",', '"context":"x",'),
  })
  .map(({ customer: id, actions, more }) => {
    const who = id === '' ? '"user_identifiers":{"u_mb":"4915"}' : `"customer_id":"${id}"`
    const json = `{"type":"event",${who},${more}"actions":[${actions.join()}]}`
    return { kind: 'event', customer: id, json, cost: actions.length }
  })

const device: fc.Arbitrary<Written> = customer.map((id) => ({
  kind: 'device',
  customer: id,
  json: `{"type":"device","customer_id":"${id}","device_id":"d","attributes":{"platform":"iOS","push_id":"p"}}`,
  cost: 1,
}))

/** What a few customers' producers may post: everyday things, and things with a catch. */
export const streams: fc.Arbitrary<Written[]> = palette.chain((given) =>
  fc.array(
    fc.oneof(
      { weight: 20, arbitrary: userOf(given) },
      { weight: 3, arbitrary: event },
      { weight: 1, arbitrary: device },
    ),
    { minLength: 1, maxLength: 12 },
  ),
)

/** The stream as it waits in one partition, in chunks of a few elements. */
export function waitingIn(stream: readonly Written[], perChunk = 5): PartitionWindow {
  const partition = { appId: 'APP', lane: 'realtime' as const, generation: 0, index: 0 }
  const window = new PartitionWindow('APP/realtime/0/0', partition, 'me:1')
  const chunks = []
  for (let i = 0; i < stream.length; i += perChunk) {
    const elements = stream.slice(i, i + perChunk).map(({ kind, customer: id, json, cost }) =>
      plainElement({
        kind,
        cost,
        customer: id,
        posted: 1 as const,
        json: Buffer.from(json),
        provenance: { requestId: `r${i}`, acceptedAtMs: 1_000 + i },
      }),
    )
    chunks.push({ id: String(i), bytes: 1, done: Buffer.alloc(0), elements })
  }
  window.load(chunks, chunks.length)
  return window
}

export function itemsOf(window: PartitionWindow): Item[] {
  return window.chunks.flatMap((chunk) =>
    chunk.elements.map((element, index) => ({ window, chunk, index, element })),
  )
}
