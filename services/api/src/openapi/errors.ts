/** An error type: statuses, cause and remedy. docs/reference/errors.md is generated from these. */
export interface ErrorType {
  readonly statuses: readonly number[]
  readonly cause: string
  readonly remedy: string
}

const POST_AGAIN =
  'Post the same bytes again after `Retry-After`, with the same `Idempotency-Key`; see "When to post again" in docs/guide/producers.md.'

/** Every `error.type` that the intake answers with. The names are MoEngage's where it has one. */
export const ERROR_TYPES: Readonly<Record<string, ErrorType>> = {
  'Missing header value': {
    statuses: [400],
    cause: 'There is no `Content-Type`.',
    remedy: 'Send `Content-Type: application/json` (`application/x-ndjson` for an import).',
  },
  InvalidParams: {
    statuses: [400],
    cause:
      '`Relay-Lane`, `Idempotency-Key`, `project_code`, `first_line`, `max_errors` or the path has an invalid value.',
    remedy: '`error.attribute` and `error.details` name each one and what it may be.',
  },
  ParamsRequired: {
    statuses: [400],
    cause: 'Neither the path nor `?app_id=` names a workspace.',
    remedy: 'Post to `/v1/{endpoint}/{app_id}`.',
  },
  'Empty request body': {
    statuses: [400],
    cause: 'The body is empty.',
    remedy: 'Send the JSON document; check that the client does not drop it on a redirect.',
  },
  'Body type is not JSON': {
    statuses: [400],
    cause: 'The body is JSON, but not an object.',
    remedy:
      'Wrap elements as `{"type":"transition","elements":[…]}`; encode the body once, not twice.',
  },
  'Malformed JSON': {
    statuses: [400],
    cause: 'The body is not JSON, not UTF-8, or nested over 64 levels deep.',
    remedy:
      'The message names the line and the column, and the usual reason; let a JSON library write the body.',
  },
  'Malformed gzip': {
    statuses: [400],
    cause:
      'The body is not valid gzip (corrupt or truncated), although `Content-Encoding` is gzip.',
    remedy: 'Compress the whole body once, or leave the header out.',
  },
  MissingAttributeError: {
    statuses: [400],
    cause: 'A required attribute is absent or empty.',
    remedy: 'Each entry of `details` names the element and the attribute.',
  },
  AttributeError: {
    statuses: [400],
    cause: 'An attribute has a value that MoEngage refuses, drops or punishes.',
    remedy:
      'Each entry of `details` names the attribute and the reason; do not post the same again.',
  },
  TypeError: {
    statuses: [400],
    cause: 'An attribute is of the wrong JSON type.',
    remedy: 'Each entry of `details` names the expected type.',
  },
  ArrayFieldError: {
    statuses: [400],
    cause: 'Values are added to and removed from one array field in the same element.',
    remedy: 'Send two elements, one after the other.',
  },
  'Bad Request': {
    statuses: [400],
    cause: 'The request is not HTTP/1.1, has no `Host`, or has an ambiguous length.',
    remedy: 'Check the client and any proxy in front of relay.',
  },
  'Authentication Required': {
    statuses: [401],
    cause: 'There is no `Authorization` header.',
    remedy: 'Send HTTP Basic: user name = app id, password = your producer secret.',
  },
  'Authentication required': {
    statuses: [401],
    cause: 'User name or secret is missing, unknown or unreadable.',
    remedy: 'Use your producer secret (`RELAY_PRODUCERS`), not the MoEngage API key.',
  },
  Forbidden: {
    statuses: [403],
    cause: 'The workspace does not list this producer.',
    remedy: 'Ask the operator to add you to `producers` in the workspaces file.',
  },
  'Not Found': {
    statuses: [404],
    cause: 'The path is unknown, or is an endpoint of MoEngage that relay does not support.',
    remedy: 'The message names the paths, or the host to call instead.',
  },
  'Method Not Allowed': {
    statuses: [405],
    cause: 'The path supports another method only.',
    remedy: 'Use the method in `Allow`.',
  },
  'Request Timeout': {
    statuses: [408],
    cause:
      'Headers took over 8 s, a body over 30 s, or an import sent nothing for 30 s. Nothing was stored, except the lines of an import up to `last_line`.',
    remedy: 'Post again; check the network if it happens twice.',
  },
  'Authentication Mismatch': {
    statuses: [409],
    cause: 'Path, `?app_id=`, user name and `MOE-APPKEY` do not name the same workspace.',
    remedy: 'Use one app id in all of them.',
  },
  IdempotencyKeyInUse: {
    statuses: [409],
    cause: 'The first request with this `Idempotency-Key` is still running.',
    remedy: 'Post the same again after `Retry-After`: you get its answer.',
  },
  'Payload too large': {
    statuses: [413, 400],
    cause:
      'The body is over `RELAY_MAX_REQUEST_BYTES` after decompression, one element cannot fit a bulk request of MoEngage, or the gzip of an import expands to more than 200 times its size. 400 where a lenient request has no valid element.',
    remedy: 'Post fewer elements at once, use the import, or shorten the element in `details`.',
  },
  'Unsupported Media Type': {
    statuses: [415],
    cause:
      '`Content-Type` or `Content-Encoding` is something other than JSON in UTF-8, plain or gzip.',
    remedy: 'Send `application/json`; for an import `application/x-ndjson`.',
  },
  'Expectation Failed': {
    statuses: [417],
    cause: '`Expect` asks for something else than `100-continue`.',
    remedy: 'Leave the header out.',
  },
  IdempotencyKeyReused: {
    statuses: [422],
    cause: 'This `Idempotency-Key` was used with another body within 24 h.',
    remedy: 'Create a new key for every new request, and reuse it only for repetitions.',
  },
  'Rate Limit Exceeded': {
    statuses: [429],
    cause: 'Your quota is exceeded: elements per minute, or your share of the backlog.',
    remedy: `Nothing was stored. Wait for \`Retry-After\`. ${POST_AGAIN}`,
  },
  'Headers too large': {
    statuses: [431],
    cause: 'The headers are over 16 KB.',
    remedy: 'Send fewer cookies or shorter headers.',
  },
  'Server Error': {
    statuses: [500],
    cause: 'An internal error of relay.',
    remedy: 'Post again, and report the `request_id` to the operator.',
  },
  'Service Unavailable': {
    statuses: [503],
    cause:
      'The queue is unreachable, is full or does not reach the configured durability; or relay is shutting down or has reached a limit for all producers or for one. An outage of MoEngage is no cause: relay accepts and waits.',
    remedy: `The message states whether something may have been stored. ${POST_AGAIN}`,
  },
}

/** Anchor of a type in docs/reference/errors.md. */
export function anchorOf(type: string): string {
  const anchor = type.toLowerCase().replaceAll(' ', '-')
  return isTwin(type) ? `${anchor}-header` : anchor
}

const SHAPE = `{
  "status": "fail",
  "error": {
    "message": "…",
    "type": "AttributeError",
    "request_id": "…",
    "attribute": "…",
    "details": [{ "index": 0, "attribute": "…", "message": "…" }]
  }
}`

/** docs/reference/errors.md. */
export function errorsPage(): string {
  const sections = Object.entries(ERROR_TYPES).map(([type, { statuses, cause, remedy }]) => {
    const heading = `<a id="${anchorOf(type)}"></a>\n\n## ${type}`
    return `${heading}\n\nStatus ${statuses.join(', ')}. ${cause}\n\n${remedy}\n`
  })
  return [
    '# Errors of the intake',
    '',
    'Made from `services/api/src/openapi/errors.ts` by `npm run docs:errors`; a test compares them.',
    'Every error has the envelope that MoEngage uses:',
    '',
    '```json',
    SHAPE,
    '```',
    '',
    '`type` is one of the headings below; `details` has one entry for every problem, up to 1,000; `index` is the position of the element, 0-based.',
    '',
    ...sections,
  ].join('\n')
}

/** MoEngage spells one type in two ways; their anchors must differ. */
function isTwin(type: string): boolean {
  return type === 'Authentication Required'
}
