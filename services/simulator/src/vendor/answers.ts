/** An HTTP answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An error of MoEngage: a row of its table of response codes, verbatim. */
export interface Refusal {
  readonly status: number
  readonly type: string
  readonly message: string
  readonly attribute?: string | undefined
}

const row = (status: number, type: string, message: string): Refusal => ({ status, type, message })

const UNAUTHENTICATED = 'Authentication required'

/** Every row of the overview's table (and `blocked_client` of the OpenAPI document), by name. */
export const ROWS = {
  content_type_missing: row(400, 'Missing header value', 'The Content-Type Header is required'),
  empty_body: row(400, 'Empty request body', 'A valid JSON document is required'),
  malformed_json: row(
    400,
    'Malformed JSON',
    'Could not decode the request body. The JSON was incorrect or not encoded as UTF-8.',
  ),
  blacklisted: row(400, 'Blacklisted', 'Your account is blacklisted, Please contact MoEngage.'),
  invalid_app_id: row(400, 'InvalidParams', 'given app_id is invalid.'),
  app_id_missing: row(400, 'ParamsRequired', 'app_id is required in path/query params.'),
  not_an_object: row(400, 'Body type is not JSON', 'A valid JSON document is required.'),
  missing_attribute: row(400, 'MissingAttributeError', '{{key}} is expected to be {{datatype}}'),
  auth_header_missing: row(401, 'Authentication Required', 'Authentication Header Required'),
  auth_header_empty: row(401, UNAUTHENTICATED, 'No identity information found'),
  auth_undecodable: row(401, UNAUTHENTICATED, 'Invalid identity information found'),
  app_key_missing: row(401, UNAUTHENTICATED, 'APP_KEY missing in the authentication header'),
  app_secret_missing: row(401, UNAUTHENTICATED, 'APP_SECRET missing in the authentication header'),
  app_secret_mismatch: row(
    401,
    UNAUTHENTICATED,
    'App Secret key mismatch. Please login to the dashboard to verify key',
  ),
  auth_app_id_invalid: row(401, UNAUTHENTICATED, 'Invalid APP_ID used in Authentication Header'),
  account_suspended: row(403, 'Account Suspended', 'Account Suspended'),
  account_temporarily_suspended: row(
    403,
    'Account Temporarily Suspended',
    'Account Temporarily Suspended',
  ),
  blocked_client: row(
    403,
    'BlockedClient',
    'Your account is blocked. Please contact MoEngage team.',
  ),
  app_key_mismatch: row(
    409,
    'Authentication Mismatch',
    'App key mismatch in params and authentication',
  ),
  app_secret_not_set: row(
    409,
    UNAUTHENTICATED,
    'App Secret key is not set. Please login to the dashboard to set a key',
  ),
  payload_too_large: row(413, 'Payload too large', 'The payload can not exceed 128KB'),
  unsupported_media_type: row(415, 'Unsupported Media Type', 'Unsupported Media Type'),
  rate_limit: row(429, 'Rate Limit Exceeded', 'Rate Limits for User / Event exceeded'),
  server_error: row(500, 'Server Error', 'Any other exception'),
  // Not in the table; the answer of a generic HTTP server.
  not_found: row(404, 'Not Found', 'Not Found'),
  method_not_allowed: row(405, 'Method Not Allowed', 'Method Not Allowed'),
} as const satisfies Record<string, Refusal>

export type RowName = keyof typeof ROWS
export const ROW_NAMES = Object.keys(ROWS) as [RowName, ...RowName[]]

/** The IP allow-list's answer has a different format. help ip-whitelisting-in-moengage. */
export function addressRefused(): Answer {
  const body = JSON.stringify({
    error: 'IP Validation Required',
    message: 'IP Validation Failed. Please check your IP!!',
  })
  return { status: 403, headers: JSON_HEADERS, body }
}

const JSON_HEADERS = { 'content-type': 'application/json' }

/** openapi: success response of the four endpoints. */
export function success(requestId: string): Answer {
  const message = 'Your request has been accepted and will be processed soon.'
  const body = JSON.stringify({ status: 'success', message, request_id: requestId })
  return { status: 200, headers: JSON_HEADERS, body }
}

export function refusal(
  { status, type, message, attribute }: Refusal,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const error = { ...(attribute === undefined ? {} : { attribute }), message, type }
  const body = JSON.stringify({ status: 'fail', error: { ...error, request_id: requestId } })
  return { status, headers: { ...JSON_HEADERS, ...headers }, body }
}

/**
 * The format of the headers: the vendor's pages contradict each other about the reset (seconds left,
 * or seconds since 1970), and its gateway may append the window to the limit.
 */
export const HEADER_FORMS = ['off', 'seconds', 'epoch', 'envoy_seconds', 'envoy_epoch'] as const
type HeaderForm = (typeof HEADER_FORMS)[number]

/** The values of the rate-limit headers, for the budget with the smallest share left. */
export interface BudgetGauge {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  readonly windowMs: number
}

/** `x-ratelimit-*` of an answer. `nowMs`: wall clock. */
export function rateLimitHeaders(
  { limit, remaining, resetMs, windowMs }: BudgetGauge,
  form: HeaderForm,
  nowMs: number,
): Record<string, string> {
  if (form === 'off') return {}
  const epoch = form === 'epoch' || form === 'envoy_epoch'
  const envoy = form === 'envoy_seconds' || form === 'envoy_epoch'
  const text = String(limit)
  const windowSeconds = String(Math.ceil(windowMs / 1000))
  return {
    'x-ratelimit-limit': envoy ? `${text}, ${text};w=${windowSeconds}` : text,
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil((epoch ? nowMs + resetMs : resetMs) / 1000)),
  }
}
