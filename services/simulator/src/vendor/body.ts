import { isUtf8 } from 'node:buffer'
import { arrayItems, member, valueAt, type Slice } from './slices.js'
import { ROWS, type Refusal } from './answers.js'
import { costOf, customerOf, type ElementType, type OwnNames } from './elements.js'

export const ENDPOINTS = ['transition', 'customer', 'event', 'device'] as const
export type Endpoint = (typeof ENDPOINTS)[number]

export interface ReceivedElement {
  readonly value: unknown
  /** Its bytes exactly as in the body; null if bytes are not kept. */
  readonly raw: Buffer | null
  readonly type: ElementType | null
  /** Entries of `actions` for an event, else 1. */
  readonly units: number
  readonly customer: string
}

/** The budget units of one request. */
export interface Cost {
  readonly users: number
  readonly events: number
  readonly devices: number
}

export type DecodedBody =
  | { readonly ok: true; readonly elements: readonly ReceivedElement[]; readonly cost: Cost }
  | { readonly ok: false; readonly refusal: Refusal }

const refuse = (refusal: Refusal): Refused => ({ ok: false, refusal })

/** Splits a body into elements; checks the envelope, not the elements. */
export function decodeBody(
  body: Buffer,
  endpoint: Endpoint,
  keepBytes: boolean,
  names?: OwnNames,
): DecodedBody {
  if (body.length === 0) return refuse(ROWS.empty_body)
  if (!isUtf8(body)) return refuse(ROWS.malformed_json)
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    return refuse(ROWS.malformed_json)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return refuse(ROWS.not_an_object)
  }
  const envelope = json as Readonly<Record<string, unknown>>
  const parts =
    endpoint === 'transition'
      ? bulkParts(body, envelope, keepBytes)
      : singlePart(body, envelope, endpoint, keepBytes)
  return parts.ok ? decoded(parts, body, names) : parts
}

/** Elements as parsed, and where their bytes are; null if bytes are not kept. */
interface Parts {
  readonly ok: true
  readonly values: readonly unknown[]
  readonly slices: readonly Slice[] | null
}
type Refused = Extract<DecodedBody, { ok: false }>

function singlePart(
  body: Buffer,
  value: Readonly<Record<string, unknown>>,
  endpoint: Endpoint,
  keepBytes: boolean,
): Parts | Refused {
  if (value.type !== endpoint) return refuse(typeFault(endpoint))
  return { ok: true, values: [value], slices: keepBytes ? [valueAt(body)] : null }
}

function bulkParts(
  body: Buffer,
  { type, elements }: Readonly<Record<string, unknown>>,
  keepBytes: boolean,
): Parts | Refused {
  if (type !== 'transition') return refuse(typeFault('transition'))
  const fault = (message: string) =>
    refuse({ ...ROWS.missing_attribute, attribute: 'elements', message })
  if (elements === undefined) return fault('elements is not found in the payload')
  if (!Array.isArray(elements)) return fault('elements is expected to be list')
  if (elements.length === 0) return fault('elements cannot be empty array')
  const list = keepBytes ? member(body, valueAt(body).start, 'elements') : null
  const slices = list === null ? null : arrayItems(body, list.start)
  return { ok: true, values: elements, slices }
}

const typeFault = (wanted: string): Refusal => ({
  status: 400,
  type: 'AttributeError',
  attribute: 'type',
  message: `type should be ${wanted}`,
})

function decoded({ values, slices }: Parts, body: Buffer, names?: OwnNames): DecodedBody {
  const cost = { users: 0, events: 0, devices: 0 }
  const elements = values.map((value, i): ReceivedElement => {
    const { type, units } = costOf(value)
    if (type === 'customer') cost.users += 1
    else if (type === 'device') cost.devices += 1
    else cost.events += units
    const slice = slices?.[i]
    const raw = slice === undefined ? null : body.subarray(slice.start, slice.end)
    return { value, raw, type, units, customer: customerOf(value, names) }
  })
  return { ok: true, elements, cost }
}
