import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import addFormats, { type FormatsPlugin } from 'ajv-formats'
import { ROOT } from '@relay/tools/folders.js'

const FIXTURES = join(ROOT, 'services/api/test/fixtures')

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'))
}

/**
 * Two things the vendor's own samples break: customer_id with identifiers, and platform's enum. And
 * two that its newer pages allow: formats of texts, and null for what may be absent.
 */
function loosened(schema: AnySchemaObject): AnySchemaObject {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === 'format') return undefined
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

/** Every name that a schema of the vendor's knows. */
export const SCHEMA_NAMES: readonly string[] = [
  ...new Set([...JSON.stringify(schemas).matchAll(/"(\w+)":\{/g)].map(([, n]) => n ?? '')),
]

const examples = fixture('vendor-examples') as { body: { elements?: object[] } }[]

/** The elements of the vendor's examples. */
export const EXAMPLE_ELEMENTS: readonly object[] = examples.flatMap(
  ({ body }) => body.elements ?? [body],
)

function withoutNull(element: object): unknown {
  return JSON.parse(JSON.stringify(element, (_, value: unknown) => value ?? undefined))
}

/** What the vendor's own schema has against an element, judged by a validator that is not relay's. */
export function vendorFault(element: { readonly type?: unknown }): string | null {
  const validate = validators.get(String(element.type))
  if (validate === undefined) return `no schema for the type ${String(element.type)}`
  return validate(withoutNull(element)) ? null : ajv.errorsText(validate.errors)
}
