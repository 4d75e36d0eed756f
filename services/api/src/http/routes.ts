import type { Endpoint } from '../accept/parse.js'
import type { Refusal } from '../refusal.js'

/** The endpoints of the Data API that relay carries, below `/v1/`. */
export const ENDPOINTS: readonly Endpoint[] = ['customer', 'event', 'device', 'transition']

/** The import of NDJSON of any length. */
export const IMPORT_PATH = '/v1/import{/:appId}'

/** Endpoints of the vendor that relay does not carry. openapi, read 2026-11. */
export const VENDOR_PATHS: readonly string[] = [
  '/v1/customers/export',
  '/v1/customer/merge',
  '/v1/customer/delete',
  '/v1/devices/manage',
  '/v1/installInfo',
  '/v1/integrations/authentication',
  '/v1/fileimports/*rest',
]

/** The form of the vendor's hosts, for callers that must not learn the workspace's own. openapi. */
export const GENERIC_HOST = 'https://api-0X.moengage.com (X: the number of your data centre)'

const PLAIN_POST =
  /^(\/v1\/(customer|event|device|transition)\/([\w.~-]+))(?:\?project_code=[\w.~-]+)?$/

/** The endpoint and app id of a path that needs no decoding; null if the router has to read it. */
export function plainPost(path: string): { endpoint: Endpoint; appId: string } | null {
  const [, bare = '', endpoint, appId] = PLAIN_POST.exec(path) ?? []
  if (endpoint === undefined || appId === undefined || VENDOR_PATHS.includes(bare)) return null
  return { endpoint: endpoint as Endpoint, appId }
}

export function elsewhereRefusal(host: string, path: string): Refusal {
  const message = `relay does not support ${path}: call MoEngage at ${host}`
  return { status: 404, type: 'Not Found', message }
}

export const UNKNOWN_PATH: Refusal = {
  status: 404,
  type: 'Not Found',
  message: `Resource not found. Intake is POST /v1/{${[...ENDPOINTS, 'import'].join('|')}}/{app_id}; reference: /docs`,
}

export const WRONG_METHOD: Refusal = {
  status: 405,
  type: 'Method Not Allowed',
  message: 'Method not allowed: use POST',
  headers: { Allow: 'POST' },
}

export const GET_ONLY: Refusal = {
  status: 405,
  type: 'Method Not Allowed',
  message: 'Method not allowed: use GET',
  headers: { Allow: 'GET, HEAD' },
}

export const NO_APP_ID: Refusal = {
  status: 400,
  type: 'ParamsRequired',
  message: 'app_id is required in path/query params.',
  attribute: 'app_id',
}

export const BROKEN_PATH: Refusal = {
  status: 400,
  type: 'InvalidParams',
  message: 'The path is not correctly percent-encoded',
}

export const FAILED: Refusal = {
  status: 500,
  cause: 'internal',
  type: 'Server Error',
  message: 'An unexpected error was encountered while processing this request',
}

/** The trace of a producer's own request. */
export const REQUEST_PATH = '/v1/requests/:requestId'

export const UNKNOWN_REQUEST: Refusal = {
  status: 404,
  type: 'Not Found',
  message: 'No request of this producer with this id, or its trace has expired',
}

export const TRACE_UNAVAILABLE: Refusal = {
  status: 503,
  cause: 'traces_unavailable',
  type: 'Service Unavailable',
  message: 'Traces are unavailable; try again',
  retryAfterMs: 1_000,
}
