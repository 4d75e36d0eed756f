import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import addFormats, { type FormatsPlugin } from 'ajv-formats'
import fc from 'fast-check'
import { assess } from '../src/accept/assess.js'
import { NOW_MS, workspace } from './support/intake.js'

/**
 * Elements near the border of what is valid are made from good ones by random changes; whatever
 * intake accepts must be valid to the vendor's own schemas, judged by a validator that shares
 * nothing with relay.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 4_000)

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(join(__dirname, 'fixtures', `${name}.json`), 'utf8'))

/** Two things the vendor's own samples break: customer_id with identifiers, and platform's enum. */
function loosened(schema: AnySchemaObject): AnySchemaObject {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === 'required' && Array.isArray(value)) {
        return (value as string[]).filter((name) => name !== 'customer_id')
      }
      const platform = key === 'platform' && typeof value === 'object' && value !== null
      return platform ? { ...value, enum: undefined } : value
    }),
  ) as AnySchemaObject
}

const ajv = new Ajv2020({ strict: false })
// The package's types describe its CommonJS default in ESM terms.
;(addFormats as unknown as FormatsPlugin)(ajv)
const schemas = fixture('vendor-schemas') as Record<string, AnySchemaObject>
const validators = new Map(
  Object.entries(schemas).map(([type, schema]) => [type, ajv.compile(loosened(schema))]),
)

const examples = fixture('vendor-examples') as { body: { elements?: object[] } }[]
const device = {
  type: 'device',
  customer_id: 'ann',
  device_id: 'd',
  attributes: { platform: 'iOS', push_id: 'p', model: 'x', moe_push_opted: 'True' },
}
const seeds = [...examples.flatMap(({ body }) => body.elements ?? [body]), device]

/** Every name that a schema knows, so that changes hit where it matters. */
const names = [
  ...new Set([...JSON.stringify(schemas).matchAll(/"(\w+)":\{/g)].map(([, n]) => n ?? '')),
]
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    '1',
    'guest',
    'true',
    'True',
    'iOS',
    '2026-11-23T12:00:00Z',
    1.5,
    1e300,
    -54_001,
  ),
) as fc.Arbitrary<unknown>
const change = fc.record({
  at: fc.array(fc.nat(12), { maxLength: 4 }),
  name: fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 3 })),
  value: fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
})

/** Goes down `at` as far as there are containers, and sets or deletes a member there. */
function apply(
  element: object,
  { at, name, value: to }: { at: number[]; name: string; value: unknown },
) {
  let node = element as Record<string, unknown>
  for (const step of at) {
    const inner = Object.values(node).filter((v) => typeof v === 'object' && v !== null)
    const next = inner[step % Math.max(1, inner.length)]
    if (next === undefined) break
    node = next as Record<string, unknown>
  }
  if (to === undefined) Reflect.deleteProperty(node, name)
  else
    Object.defineProperty(node, name, {
      value: to,
      enumerable: true,
      configurable: true,
      writable: true,
    })
}

const changed = fc
  .tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 3 }))
  .map(([seed, changes]) => {
    const element = structuredClone(seed)
    for (const each of changes) {
      try {
        apply(element, each)
      } catch {
        // `length` of an array takes no such value.
      }
    }
    return element
  })

const context = {
  endpoint: 'transition',
  workspaceLimits: workspace('A').limits,
  limits: { maxElements: 100, maxFindings: 100 },
  nowMs: NOW_MS,
} as const

describe('whatever is posted', () => {
  it('no element is accepted that the vendor’s schema refuses', () => {
    let accepted = 0
    fc.assert(
      fc.property(changed, (element) => {
        const body = Buffer.from(JSON.stringify({ type: 'transition', elements: [element] }))
        const outcome = assess(body, context)
        if (!outcome.ok) throw new Error('a body of elements was not even read')
        for (const { valid, queued } of outcome.assessment.accepted) {
          accepted++
          for (const { json } of queued) {
            const sent: unknown = JSON.parse(json.toString())
            const validate = validators.get(valid.type)
            if (validate?.(sent) !== true) throw new Error(ajv.errorsText(validate?.errors))
          }
        }
      }),
      { numRuns: RUNS },
    )
    // The search must see both sides of the border.
    expect(accepted).toBeGreaterThan(RUNS / 20)
    expect(accepted).toBeLessThan(RUNS * 0.95)
  })

  it('no body makes a fault of relay’s own', () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(`{"type":"transition","elements":[${text}]}`)),
      fc.tuple(changed, fc.nat(), fc.nat(255)).map(([element, at, byte]) => {
        const bytes = Buffer.from(JSON.stringify({ type: 'transition', elements: [element] }))
        bytes[at % bytes.length] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(body, (bytes) => {
        const outcome = assess(bytes, context)
        if (!outcome.ok) return
        for (const { queued } of outcome.assessment.accepted) {
          for (const { json } of queued) JSON.parse(json.toString())
        }
      }),
      { numRuns: RUNS },
    )
  })
})
