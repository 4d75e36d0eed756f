import type { IncomingMessage } from 'node:http'
import { LANES, type Lane } from '@relay/shared/element.js'
import type { Detail, Refusal } from '../refusal.js'

/** The options in the headers of an authenticated request. */
export interface IntakeHeaders {
  readonly lane: Lane
  readonly lenient: boolean
  readonly idempotencyKey: string | null
  readonly gzip: boolean
}

type HeadersOutcome =
  | { readonly ok: true; readonly headers: IntakeHeaders }
  | { readonly ok: false; readonly refusal: Refusal }

/** Reads the intake's headers, the body's format first, as the vendor does. */
export function readHeaders(request: IncomingMessage): HeadersOutcome {
  const format = readFormat(request, JSON_MEDIA)
  if (!format.ok) return format
  const details: Detail[] = []
  const lane = readLane(request.headers['relay-lane'], details)
  const idempotencyKey = readIdempotencyKey(request, details)
  const refusal = parametersRefusal(details)
  if (refusal !== null) return { ok: false, refusal }
  const lenient = prefersLenient(request.headers.prefer)
  return { ok: true, headers: { lane, lenient, idempotencyKey, gzip: format.gzip } }
}

type ImportHeadersOutcome =
  | { readonly ok: true; readonly idempotencyKey: string | null; readonly gzip: boolean }
  | { readonly ok: false; readonly refusal: Refusal }

/** The same for an import, which is NDJSON and always backfill. */
export function readImportHeaders(request: IncomingMessage): ImportHeadersOutcome {
  const format = readFormat(request, LINES_MEDIA)
  if (!format.ok) return format
  const details: Detail[] = []
  if ((request.headers['relay-lane'] ?? 'backfill') !== 'backfill') {
    details.push({ attribute: 'Relay-Lane', message: 'must be backfill or absent for an import' })
  }
  const idempotencyKey = readIdempotencyKey(request, details)
  const refusal = parametersRefusal(details)
  return refusal === null ? { ok: true, idempotencyKey, gzip: format.gzip } : { ok: false, refusal }
}

function readFormat(request: IncomingMessage, media: Media) {
  const gzip = readEncoding(request.headers['content-encoding'])
  const refusal =
    mediaRefusal(request.headers['content-type'], media) ?? (gzip === null ? ENCODING : null)
  return refusal === null
    ? { ok: true as const, gzip: gzip ?? false }
    : { ok: false as const, refusal }
}

/** The refusal for invalid headers or query parameters; null if there are none. */
export function parametersRefusal(details: readonly Detail[]): Refusal | null {
  const [first] = details
  if (first === undefined) return null
  const { message, attribute } = first
  return { status: 400, type: 'InvalidParams', message, attribute, details }
}

const ENCODING: Refusal = {
  status: 415,
  type: 'Unsupported Media Type',
  message: 'Content-Encoding must be gzip or absent',
  attribute: 'Content-Encoding',
  headers: { 'Accept-Encoding': 'gzip' },
}

/** Whether the body is gzip; null for an unsupported encoding. */
function readEncoding(header: string | undefined): boolean | null {
  const encoding = header?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return false
  return encoding === 'gzip' || encoding === 'x-gzip' ? true : null
}

interface Media {
  readonly types: readonly string[]
  readonly words: string
}

const JSON_MEDIA: Media = { types: ['application/json'], words: 'application/json in UTF-8' }
const LINES_MEDIA: Media = {
  types: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
  words: 'application/x-ndjson in UTF-8',
}

/** The media type with any parameters, unless one names a charset other than UTF-8. */
function isMedia(contentType: string, { types }: Media): boolean {
  // The most common value.
  if (contentType === types[0]) return true
  const [media = '', ...parameters] = contentType
    .split(';')
    .map((part) => part.trim().toLowerCase())
  const charsets = parameters.filter((parameter) => /^charset\s*=/.test(parameter))
  return (
    types.includes(media) && charsets.every((charset) => /^charset\s*=\s*"?utf-?8"?$/.test(charset))
  )
}

function mediaRefusal(contentType: string | undefined, media: Media): Refusal | null {
  const attribute = 'Content-Type'
  if (contentType === undefined || contentType.trim() === '') {
    const message = 'The Content-Type Header is required'
    return { status: 400, type: 'Missing header value', message, attribute }
  }
  if (isMedia(contentType, media)) return null
  const message = `Unsupported Media Type: the body must be ${media.words}`
  return { status: 415, type: 'Unsupported Media Type', message, attribute }
}

function readLane(header: string | string[] | undefined, details: Detail[]): Lane {
  if (header === undefined) return 'realtime'
  const lane = LANES.find((known) => known === header)
  if (lane === undefined) {
    details.push({ attribute: 'Relay-Lane', message: `must be ${LANES.join(' or ')}` })
  }
  return lane ?? 'realtime'
}

const KEY = /^[\x20-\x7e]{1,255}$/

function readIdempotencyKey(request: IncomingMessage, details: Detail[]): string | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  // Node joins repeated headers with a comma, which would turn two keys into one.
  const once = request.headersDistinct['idempotency-key']?.length === 1
  if (typeof header === 'string' && once && KEY.test(header)) return header
  const message = 'must be given once, with 1 to 255 printable ASCII characters'
  details.push({ attribute: 'Idempotency-Key', message })
  return null
}

/** `handling=lenient` among the preferences (RFC 7240); others are ignored, as the RFC asks. */
function prefersLenient(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  const preferences = (typeof header === 'string' ? header : header.join(',')).split(',')
  const handling = preferences
    .map((preference) => /^\s*handling\s*=\s*"?([a-z]+)"?\s*(?:;.*)?$/i.exec(preference)?.[1])
    .find((value) => value !== undefined)
  return handling?.toLowerCase() === 'lenient'
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

/** The caller's `X-Request-Id`, if it is safe to return. */
export function callersRequestId(request: IncomingMessage): string | null {
  const header = request.headers['x-request-id']
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : null
}

/** The options in the query of an authenticated request. */
export interface IntakeQuery {
  /** The project of a Portfolio workspace that the elements belong to; null: none. */
  readonly projectCode: string | null
  /** Parameters that relay does not carry, one entry each. */
  readonly warnings: readonly Detail[]
}

type QueryOutcome =
  | { readonly ok: true; readonly query: IntakeQuery }
  | { readonly ok: false; readonly refusal: Refusal }

/** Longest project code, characters. The vendor states no limit; own choice. */
const PROJECT_CODE_CHARACTERS = 100

const PROJECT_CODE = new RegExp(`^[\\x21-\\x7e]{1,${PROJECT_CODE_CHARACTERS}}$`)

/** Maximum unknown parameters that one answer names. */
const MAX_NAMED = 20

/** Maximum length of a parameter name in an answer, characters. */
const NAME_CHARACTERS = 100

const EMPTY: QueryOutcome = { ok: true, query: { projectCode: null, warnings: [] } }

/**
 * Reads the query of `url`. `known` lists the parameters that the route reads itself; `app_id` is
 * always known.
 */
export function readQuery(url: string, known: readonly string[] = []): QueryOutcome {
  const mark = url.indexOf('?')
  if (mark < 0) return EMPTY
  const parameters = new URLSearchParams(url.slice(mark + 1))
  const codes = parameters.getAll('project_code')
  const [code = null] = codes
  const isWrong = codes.length > 1 || (code !== null && !PROJECT_CODE.test(code))
  const isRepeated = parameters.getAll('app_id').length > 1
  const details = [
    ...(isRepeated ? [REPEATED_APP_ID] : []),
    ...(isWrong ? [WRONG_PROJECT_CODE] : []),
  ]
  const refusal = parametersRefusal(details)
  if (refusal !== null) return { ok: false, refusal }
  const unknown = new Set(
    [...parameters.keys()].filter((name) => !TAKEN.has(name) && !known.includes(name)),
  )
  const warnings = [...unknown].slice(0, MAX_NAMED).map(notCarried)
  return { ok: true, query: { projectCode: code, warnings } }
}

const TAKEN: ReadonlySet<string> = new Set(['app_id', 'project_code'])

const REPEATED_APP_ID: Detail = { attribute: 'app_id', message: 'app_id must be given once' }

const WRONG_PROJECT_CODE: Detail = {
  attribute: 'project_code',
  message: `project_code must be given once, with 1 to ${PROJECT_CODE_CHARACTERS} printable ASCII characters without spaces`,
}

function notCarried(name: string): Detail {
  const attribute = name.slice(0, NAME_CHARACTERS)
  const message = 'unknown query parameter; relay does not send it to MoEngage'
  return { attribute, message }
}
