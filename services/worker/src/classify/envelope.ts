/** Maximum characters kept of MoEngage's message. */
const MAX_WORDS = 1_024

/** An answer's body, in whichever of its spellings. */
export interface Envelope {
  /** Lower case; null: absent. */
  readonly status: string | null
  /** MoEngage's name for the request, beside `status`; null: absent. */
  readonly requestId: string | null
  /** Null: the body names no error. */
  readonly error: {
    readonly type: string
    readonly message: string
    readonly attribute: string | null
    readonly requestId: string | null
  } | null
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads `{"status","error":{"type","message","attribute"?,"request_id"}}` and the vendor's other
 * spellings of it: `error_type`, `title` and `description` beside `status`. Null: no JSON object.
 */
export function readEnvelope(body: string): Envelope | null {
  const fields = parseObject(body)
  if (fields === null) return null
  const status = text(fields.status)?.trim().toLowerCase() ?? null
  return { status, requestId: text(fields.request_id), error: readError(fields) }
}

function readError(fields: Fields): Envelope['error'] {
  const inner = asObject(fields.error)
  const source = inner ?? fields
  const type = first(source, ['type', 'error_type', 'title']) ?? text(fields.error)
  const message = first(source, ['message', 'description', 'error_description'])
  if (inner === null && type === null) return null
  return {
    type: type ?? '',
    message: message ?? '',
    attribute: text(source.attribute),
    requestId: first(source, ['request_id']) ?? text(fields.request_id),
  }
}

function parseObject(body: string): Fields | null {
  try {
    return asObject(JSON.parse(body))
  } catch {
    return null
  }
}

function asObject(value: unknown): Fields | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return value as Fields
}

function first(fields: Fields, names: readonly string[]): string | null {
  for (const name of names) {
    const found = text(fields[name])
    if (found !== null) return found
  }
  return null
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, MAX_WORDS) : null
}
