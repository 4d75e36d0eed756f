import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mutated } from '@relay/test/support/mutate.js'
import { pick, seededRandom } from '@relay/shared/seeded-random.js'
import { shopTraffic } from '@relay/tools/traffic/shop.js'
import { Validator } from '../../src/accept/assess.js'
import { parseBody, type Endpoint, type ParsedElement } from '../../src/accept/parse.js'
import { readSparse } from '../../src/accept/sparse.js'
import {
  EVENTS,
  NameTable,
  NO_TYPE,
  scopeOf,
  TYPE_CODES,
  USER,
} from '../../src/census/name-table.js'
import { WorkspaceNames } from '../../src/census/workspace-names.js'
import { CustomerKeys } from '../../src/accept/identity.js'
import { ELEMENT_CASES as CASES } from '../corpus/all.js'
import { NOW_MS, workspace } from '../support/workspace.js'

/** Bodies that are compared; a nightly search sets another number. */
const BODIES = Number(process.env.FUZZ_RUNS ?? 4_000)
const SEED = 20261127
const MOST = 60
const LIMITS = { maxElements: MOST }

const EXAMPLES = JSON.parse(
  readFileSync(join(__dirname, '..', 'fixtures', 'vendor-examples.json'), 'utf8'),
) as readonly { readonly endpoint: Endpoint; readonly body: object }[]
const shop = shopTraffic({ seed: SEED, nowMs: () => NOW_MS })
const shopElements = (count: number) => Array.from({ length: count }, () => shop.next().value)
const list = (elements: readonly string[]) =>
  `{"type":"transition","elements":[${elements.join()}]}`

const POSTED = { producer: 'shop', nowMs: NOW_MS, projectCode: null }

/** A census that knows some names, and has something to say about one of them. */
const KNOWN = new NameTable()
for (const [name, ...attributes] of [
  ['Product viewed', 'price', 'product_id'],
  ['a'],
  ['Viewed', 'n', 'a'],
]) {
  const event = KNOWN.add(name ?? '', EVENTS)
  KNOWN.setQuiet(event, name === 'a' ? [] : [NO_TYPE])
  for (const attribute of attributes) {
    KNOWN.setQuiet(KNOWN.add(attribute, scopeOf(event)), [NO_TYPE, TYPE_CODES.number])
  }
}
for (const name of ['a', 'u_em', 'city', 'last_seen', 'd']) {
  KNOWN.setQuiet(KNOWN.add(name, USER), [NO_TYPE, TYPE_CODES.text])
}

/** All that becomes of elements: what is said of each, and what is queued for it, to the byte. */
function judged(elements: readonly ParsedElement[], body: Buffer, endpoint: Endpoint) {
  const limits = { maxElements: MOST, maxFindings: 100 }
  const context = { endpoint, limits, workspaceLimits: workspace('A').limits, nowMs: NOW_MS }
  const validator = new Validator({ ...context, known: KNOWN }, new CustomerKeys())
  for (const element of elements) validator.element(element, body)
  const { findings, accepted, posted, rejectedKinds, seen } = validator
  const queued = validator.queued.map((element) => ({
    ...element,
    json: element.json.toString('latin1'),
  }))
  return { accepted, queued, posted, rejectedKinds: [...rejectedKinds], findings, seen }
}

/** Says whether the body was read sparsely; where it was, it is judged as what `parseBody` gives. */
function isReadAlike(body: Buffer, endpoint: Endpoint): boolean {
  const sparse = readSparse(body, { endpoint, limits: LIMITS, known: KNOWN })
  if (sparse === null) return false
  const full = parseBody(body, endpoint, MOST)
  if (!full.ok) throw new Error(`read although it is refused: ${full.fault.message}`)
  expect(judged(sparse, body, endpoint)).toEqual(judged(full.elements, body, endpoint))
  return true
}

describe('an unknown name is told, however like a known one its hash is', () => {
  it.each([
    ['{"item_a":1}', '{"item_b":"x"}'],
    ['{"score_1":true}', '{"score_3":"x"}'],
    ['{"Aa":"x"}', '{"BB":"x"}'],
    ['{"a":"x","costarring":"x","b":1}', '{"a":"x","liquid":"x","b":1}'],
    ['{"declinate":"x"}', '{"macallums":"x"}'],
  ])('%s and %s', (first, second) => {
    const names = new WorkspaceNames()
    const seeIn = (attributes: string) => {
      const text = `{"type":"customer","customer_id":"c","attributes":${attributes}}`
      const reading = { endpoint: 'customer', limits: LIMITS, known: names.table } as const
      const elements = readSparse(Buffer.from(text), reading) ?? []
      const seen = elements.flatMap(({ sightings = [] }) => sightings)
      for (const sighting of seen) names.see(sighting, POSTED)
    }
    for (const attributes of [first, first, second]) seeIn(attributes)
    const posted = [first, second].flatMap((text) => Object.keys(JSON.parse(text) as object))
    expect(names.takeChanged().map(({ name }) => name)).toEqual([...new Set(posted)])
  })
})

describe('a body that is read sparsely is judged as one that is read in full', () => {
  const usual: (readonly [Endpoint, string])[] = [
    ...Array.from({ length: 20 }, () => [
      'transition', list(shopElements(MOST).map((element) => JSON.stringify(element))),
    ] as const), // prettier-ignore
    ...shopElements(20).map((element) => [element.type, JSON.stringify(element, null, 1)] as const),
    ...EXAMPLES.map(({ endpoint, body }) => [endpoint, JSON.stringify(body, null, 2)] as const),
    ['transition', ` ${list([' {"type":"customer","customer_id":"Zoë \\"Z\\" \\u00e9"} '])}\n`],
    ['event', '{"type":"event","customer_id":"ann","actions":[{"action":"a"},{"action":"b"}]}'],
    ['customer', '{"attributes":{"a":-0.5,"b":[],"c":{"x":[{"y":"z"}]},"d":[1,-2]},"type":"customer","customer_id":"ann"}'],
  ] // prettier-ignore

  it.each(usual)('and what is usual is read so: %s %#', (endpoint, text) => {
    // Whose values are added or removed is compared with all attributes.
    const hasOperators = text.includes('ValueToArrayField')
    expect(isReadAlike(Buffer.from(text), endpoint)).toBe(!hasOperators)
  })

  it.each(CASES.map(({ name, json }) => [name, json]))('%s', (_, json) => {
    isReadAlike(
      Buffer.from(list(['{"type":"customer","customer_id":"first"}', json])),
      'transition',
    )
    for (const endpoint of ['customer', 'event', 'device'] as const) {
      isReadAlike(Buffer.from(json), endpoint)
    }
  })

  it.each([
    ['a name that occurs twice', '"attributes":{"a":1,"a":2}'],
    ['a name that occurs twice, once escaped', '"attributes":{"a":1,"\\u0061":2}'],
    ['a name that occurs twice, deep inside', '"attributes":{"l":[{"a":1,"b":{"a":1},"a":2}]}'],
    ['two names of one hash', '"attributes":{"costarring":1,"liquid":2}'],
    ['a type that occurs twice', '"type":"customer"'],
    ['an id that occurs twice', '"customer_id":"bob"'],
    ['half of a surrogate pair', '"attributes":{"a":"\\ud800"}'],
    ['NUL', '"attributes":{"a":"\\u0000"}'],
    ['an unknown reserved name', '"attributes":{"moe_unknown":1}'],
    ['a long text of which a rule knows', `"attributes":{"u_n":"${'x'.repeat(513)}"}`],
    ['a long text', `"attributes":{"a":"${'x'.repeat(513)}"}`],
    ['a long name', `"attributes":{"${'x'.repeat(201)}":1}`],
    ['a long list', `"attributes":{"a":[${'1,'.repeat(50)}1]}`],
    ['a depth of 65', `"attributes":${'['.repeat(64)}${']'.repeat(64)}`],
    ['a number with a leading nought', '"attributes":{"a":01}'],
    ['a number without digits', '"attributes":{"a":-}'],
    ['a number that ends with its point', '"attributes":{"a":1.}'],
    ['a word', '"attributes":{"a":nul}'],
    ['a line break in a text', '"attributes":{"a":"\n"}'],
    ['an escape with digits that is none', '"attributes":{"a":"\\x0041"}'],
    ['a control character between tokens', '"attributes":{"a":\u00011}'],
    ['a control character after a name', '"attributes":{"a"\u000b:1}'],
    ['an escape that is none', '"attributes":{"a":"\\x"}'],
    ['four digits that are none', '"attributes":{"a":"\\u00g0"}'],
    ['a comma too many', '"attributes":{"a":1,}'],
    ['a comma too many in a list', '"attributes":{"a":[1,]}'],
    ['a comma that leads', '"attributes":{,"a":1}'],
    ['no comma', '"attributes":{"a":1 "b":2}'],
    ['no colon', '"attributes":{"a" 1}'],
    ['a name without quotes', '"attributes":{a:1}'],
    ['another bracket', '"attributes":{"a":[1}}'],
    ['more than the element', '"attributes":{}}{'],
    ['no end', '"attributes":{"a":"'],
  ])('what is left to be read in full: %s', (_, member) => {
    const element = `{"type":"customer","customer_id":"ann",${member}}`
    expect(isReadAlike(Buffer.from(list([element])), 'transition')).toBe(false)
    expect(isReadAlike(Buffer.from(element), 'customer')).toBe(false)
  })

  it.each([
    ['no list', '{"type":"transition"}'],
    ['another type', '{"type":"event","elements":[{}]}'],
    ['no elements', list([])],
    ['too many', list(Array<string>(MOST + 1).fill('{}'))],
    ['what is no object', list(['1'])],
    ['a list', '[]'],
    ['more behind it', `${list(['{}'])} 1`],
    ['nothing', ''],
    ['a text', '"a"'],
  ])('a request that is left to be read in full: %s', (_, body) => {
    expect(readSparse(Buffer.from(body), { endpoint: 'transition', limits: LIMITS })).toBeNull()
  })

  it.each([
    ['platforms that are no list', '{"type":"customer","customer_id":"ann","platforms":1}'],
    [
      'a platform that is no text',
      '{"type":"customer","customer_id":"ann","platforms":[{"platform":1}]}',
    ],
    ['actions that are no list', '{"type":"event","customer_id":"ann","actions":{"action":"a"}}'],
    ['no actions', '{"type":"event","customer_id":"ann","actions":null}'],
    ['an action that is no object', '{"type":"event","customer_id":"ann","actions":[1,[]]}'],
    ['attributes that are no object', '{"type":"customer","customer_id":"ann","attributes":[]}'],
    [
      'attributes of an action that are no object',
      '{"type":"event","customer_id":"ann","actions":[{"action":"a","attributes":"b"}]}',
    ],
    [
      'an action of a reserved name',
      '{"type":"event","customer_id":"ann","actions":[{"action":"moe_a"}]}',
    ],
    [
      'identifiers that are none',
      '{"type":"event","user_identifiers":{"email":true},"actions":[{"action":"a"}]}',
    ],
    ['another type', '{"type":"person","customer_id":"ann"}'],
    ['an id that is blocked', '{"type":"customer","customer_id":"guest"}'],
    [
      'tabs and line ends',
      '\t{"type"\t:\r\n"customer"\r,"customer_id" : "ann" , "attributes":{ }}\r',
    ],
  ])('a fault that needs no more to be seen is found alike: %s', (_, element) => {
    expect(isReadAlike(Buffer.from(list([element])), 'transition')).toBe(true)
    const isCustomer = element.includes('"customer"')
    expect(isReadAlike(Buffer.from(element), 'customer')).toBe(isCustomer)
  })

  it('is what UTF-8 must be', () => {
    const body = Buffer.from(list(['{"type":"customer","customer_id":"ann?"}']))
    body[body.indexOf('?')] = 0xff
    expect(readSparse(body, { endpoint: 'transition', limits: LIMITS })).toBeNull()
  })

  it(`however it is changed: ${BODIES} mutated bodies`, () => {
    const random = seededRandom(SEED)
    const plain = shopElements(20).map((element) => Buffer.from(list([JSON.stringify(element)])))
    const corpus = [
      // Most changes make a fault; those of plain elements leave the most that are plain.
      ...Array.from({ length: 20 }, () => plain).flat(),
      ...usual.map(([, text]) => Buffer.from(text)),
      ...CASES.map(({ json }) => Buffer.from(list([json]))),
    ].filter(({ length }) => length < 3_000)
    let alike = 0
    for (let i = 0; i < BODIES; i++) {
      const body = mutated(corpus, random)
      const endpoint = pick(random, [
        ...Array.from({ length: 9 }, () => 'transition' as const),
        'customer',
        'event',
        'device',
      ] as const)
      if (isReadAlike(body, endpoint)) alike++
    }
    // Both ways of reading must have been taken.
    expect(alike).toBeGreaterThan(BODIES / 100)
    expect(alike).toBeLessThan(BODIES * 0.9)
  })
})
