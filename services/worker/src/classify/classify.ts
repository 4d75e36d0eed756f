import type { RefusalReason, TransientReason } from '@relay/shared/gate/reasons.js'
import {
  type Answer,
  type NetworkFault,
  type NotSentAnswer,
  type ResponseAnswer,
  WITHHELD,
  type Withheld,
} from '../send/answer.js'
import type { Outcome, VendorError } from './outcome.js'
import { gaugeOf, parseRetryAfter } from './rate-gauge.js'

type Meaning =
  'element_refused' | 'undecodable' | 'too_large' | 'rate_limited' | 'server_error' | RefusalReason

/**
 * The vendor's error types, in lower case without blanks and punctuation, because its pages spell one type
 * several ways. overview = its Data API page, openapi = its OpenAPI document; both read 2026-11.
 * A refusal of any other type is unexplained: one element or all of them may be the cause.
 */
const BY_TYPE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['missingheadervalue', 'wrong_request'], // overview, 400
  ['bodytypeisnotjson', 'wrong_request'], // overview, 400
  ['paramsrequired', 'wrong_request'], // overview, 400
  ['unsupportedmediatype', 'wrong_request'], // overview, 415
  ['mediatypeerror', 'wrong_request'], // openapi, 415
  ['missingattributeerror', 'element_refused'], // overview, 400
  ['attributeerror', 'element_refused'], // openapi, 400
  ['typeerror', 'element_refused'], // openapi, 400
  ['valueerror', 'element_refused'], // openapi, 400
  ['arrayfielderror', 'element_refused'], // openapi, 400
  ['emptyrequestbody', 'undecodable'], // overview, 400
  ['malformedjson', 'undecodable'], // overview, 400
  ['blacklisted', 'account_refused'], // overview, 400
  ['accountsuspended', 'account_refused'], // overview, 403; openapi also 400
  ['accounttemporarilysuspended', 'account_refused'], // overview, 403
  ['blockedclient', 'account_refused'], // openapi, 403
  ['ipvalidationrequired', 'ip_refused'], // help ip-whitelisting-in-moengage, 403; read 2026-11-29
  ['invalidparams', 'misconfigured'], // overview, 400; openapi also 403
  ['authenticationrequired', 'credentials_refused'], // overview, 401
  ['authenticationinvalid', 'credentials_refused'], // openapi, 401
  ['headermissing', 'credentials_refused'], // openapi, 401
  ['headermismatch', 'misconfigured'], // openapi, 401
  ['authenticationmismatch', 'misconfigured'], // overview, 409
  ['payloadtoolarge', 'too_large'], // overview, 413
  ['ratelimitexceeded', 'rate_limited'], // overview, 429
  ['ratelimitsexceeded', 'rate_limited'], // openapi, 429
  ['ratelimiterror', 'rate_limited'], // openapi, 429
  ['servererror', 'server_error'], // overview, 5xx
  ['internalerror', 'server_error'], // openapi, 500
  ['internalservererror', 'server_error'],
])

/** Statuses under which an error type about an element is trusted. */
const MAY_NAME_AN_ELEMENT: ReadonlySet<number> = new Set([200, 400, 422])

/** Statuses whose meaning does not depend on the body. */
const BY_STATUS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [401, 'credentials_refused'],
  [402, 'account_refused'],
  [404, 'wrong_host'],
  [405, 'wrong_host'],
  [407, 'wrong_request'], // from a proxy
  [409, 'misconfigured'],
  [410, 'wrong_host'],
  [413, 'too_large'],
  [415, 'wrong_request'],
  [421, 'wrong_host'],
  [429, 'rate_limited'],
  [451, 'account_refused'],
])

/** Classifies MoEngage's answer or its absence. Total: never throws for any answer. */
export function classify(answer: Answer, nowMs: number): Outcome {
  switch (answer.kind) {
    case 'response':
      return ofResponse(answer, nowMs)
    case 'not_sent':
      return ofNotSent(answer)
    case 'unknown':
      return answer.why === 'aborted'
        ? { outcome: 'interrupted', mayHaveArrived: true }
        : transient(transientReasonOf(answer.why), true)
  }
}

function ofNotSent({ why }: NotSentAnswer): Outcome {
  return isWithheld(why)
    ? { outcome: 'interrupted', mayHaveArrived: false }
    : transient(transientReasonOf(why), false)
}

function isWithheld(why: NotSentAnswer['why']): why is Withheld {
  return (WITHHELD as readonly string[]).includes(why)
}

function ofResponse(answer: ResponseAnswer, nowMs: number): Outcome {
  const { status, requestComplete } = answer
  if (status >= 200 && status < 300) return ofSuccess(answer, nowMs)
  if (status >= 300 && status < 400) return meaning('wrong_host', answer, nowMs)
  if (status >= 500 && status < 600) return transient('server_error', requestComplete)
  if (status === 408) return transient('request_timeout', requestComplete)
  if (status === 425) return transient('too_early', false)
  const known = BY_STATUS.get(status)
  if (known !== undefined) return meaning(known, answer, nowMs)
  if (status >= 400 && status < 500) return ofRefusal(answer, nowMs)
  return transient('unreadable_answer', requestComplete)
}

/** A 2xx is a success only if its body confirms it; a success for half a request belongs to another one. */
function ofSuccess(answer: ResponseAnswer, nowMs: number): Outcome {
  const envelope = answer.truncated ? null : readEnvelope(answer.body)
  if (envelope === null || !answer.requestComplete) {
    return transient('unreadable_answer', answer.requestComplete)
  }
  if (envelope.status === 'success') {
    return { outcome: 'delivered', requestId: envelope.requestId }
  }
  const denies = envelope.status === 'fail' || envelope.status === 'failure'
  if (!denies || envelope.error === null) return transient('unreadable_answer', true)
  return byType(envelope, answer, nowMs) ?? unexplained(answer, envelope)
}

/**
 * 400, 403, 422 and every 4xx without a row are classified by type. Without a documented type, one
 * element may be at fault, or all are refused (by a new rule or a firewall). The bisection finds out.
 */
function ofRefusal(answer: ResponseAnswer, nowMs: number): Outcome {
  const envelope = readEnvelope(answer.body)
  if (envelope === null && answer.truncated) return transient('unreadable_answer', false)
  const named = envelope === null ? null : byType(envelope, answer, nowMs)
  if (named !== null) return named
  // A firewall's page may be about something in one element.
  const isPage = /^\s*</.test(answer.body)
  if (answer.status === 403 && !isPage) return meaning('account_refused', answer, nowMs)
  return unexplained(answer, envelope)
}

function byType(envelope: Envelope, answer: ResponseAnswer, nowMs: number): Outcome | null {
  if (envelope.error === null) return null
  const type = envelope.error.type.toLowerCase().replace(/[^a-z0-9]/g, '')
  const known = BY_TYPE.get(type)
  if (known === undefined) return null
  const { attribute } = envelope.error
  // InvalidParams is documented for the app id; about any other attribute it is an element's.
  const isAppIds = attribute === null || attribute === 'app_id'
  const means = type === 'invalidparams' && !isAppIds ? 'element_refused' : known
  if (means === 'element_refused' && !MAY_NAME_AN_ELEMENT.has(answer.status)) return null
  return meaning(means, answer, nowMs)
}

function meaning(known: Meaning, answer: ResponseAnswer, nowMs: number): Outcome {
  switch (known) {
    case 'element_refused':
    case 'undecodable':
    case 'too_large':
      return { outcome: known, error: vendorError(answer) }
    case 'rate_limited':
      return rateLimited(answer, nowMs)
    case 'server_error':
      return transient(known, answer.requestComplete)
    case 'credentials_refused':
    case 'account_refused':
    case 'ip_refused':
    case 'misconfigured':
    case 'wrong_host':
    case 'wrong_request':
      return { outcome: 'refused', reason: known, error: vendorError(answer) }
  }
}

function unexplained(answer: ResponseAnswer, envelope: Envelope | null): Outcome {
  return { outcome: 'unexplained', error: vendorError(answer, envelope) }
}

function rateLimited(answer: ResponseAnswer, nowMs: number): Outcome {
  const { retryAfter, date } = answer.headers
  const retryAfterMs = parseRetryAfter(retryAfter, { nowMs, date })
  const resetMs = gaugeOf(answer, nowMs)?.resetMs ?? null
  return { outcome: 'rate_limited', retryAfterMs, resetMs }
}

function vendorError(answer: ResponseAnswer, envelope = readEnvelope(answer.body)): VendorError {
  const error = envelope?.error
  return {
    status: answer.status,
    type: error?.type ?? '',
    message: error?.message ?? '',
    attribute: error?.attribute ?? null,
    requestId: error?.requestId ?? null,
  }
}

function transient(reason: TransientReason, mayHaveArrived: boolean): Outcome {
  return { outcome: 'transient', reason, mayHaveArrived }
}

function transientReasonOf(fault: NetworkFault): TransientReason {
  switch (fault) {
    case 'refused':
      return 'connection_refused'
    case 'garbage':
      return 'unreadable_answer'
    case 'unresolvable':
    case 'unreachable':
    case 'certificate':
    case 'tls':
    case 'timeout':
    case 'reset':
      return fault
  }
}

/** Maximum characters kept of MoEngage's message. */
const MAX_WORDS = 1_024

/** An answer's body, in whichever of its spellings. */
interface Envelope {
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
function readEnvelope(body: string): Envelope | null {
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
