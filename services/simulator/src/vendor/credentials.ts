import type { IncomingHttpHeaders } from 'node:http'
import type { Settings } from '../settings.js'
import { ROWS, type Refusal } from './answers.js'

interface BasicCredentials {
  readonly appKey: string
  readonly secret: string
}

/**
 * Checks the headers, in the order of the overview's table; null if they are valid. `pathAppId` is
 * null if the request names no app id.
 */
export function judgeHeaders(
  headers: IncomingHttpHeaders,
  pathAppId: string | null,
  settings: Settings,
): Refusal | null {
  const media = judgeMediaType(headers['content-type'])
  if (media !== null) return media
  if (pathAppId === null || pathAppId === '') return ROWS.app_id_missing
  const credentials = readBasic(headers.authorization)
  if ('status' in credentials) return credentials
  const refused = judgeCredentials(credentials, pathAppId, settings)
  return refused ?? judgeAppKey(headers['moe-appkey'], pathAppId)
}

function judgeMediaType(contentType: string | undefined): Refusal | null {
  if (contentType === undefined || contentType === '') return ROWS.content_type_missing
  const [media = '', ...parameters] = contentType.toLowerCase().split(';')
  if (media.trim() !== 'application/json') return ROWS.unsupported_media_type
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='))
  const utf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  return utf8 ? null : ROWS.unsupported_media_type
}

function readBasic(header: string | undefined): BasicCredentials | Refusal {
  if (header === undefined) return ROWS.auth_header_missing
  const [scheme = '', payload = ''] = header.trim().split(/\s+/)
  if (scheme === '' || payload === '') return ROWS.auth_header_empty
  if (scheme.toLowerCase() !== 'basic' || !/^[A-Za-z0-9+/]+={0,2}$/.test(payload)) {
    return ROWS.auth_undecodable
  }
  const text = Buffer.from(payload, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return ROWS.auth_undecodable
  const appKey = text.slice(0, colon)
  const secret = text.slice(colon + 1)
  if (appKey === '') return ROWS.app_key_missing
  if (secret === '') return ROWS.app_secret_missing
  return { appKey, secret }
}

function judgeCredentials(
  { appKey, secret }: BasicCredentials,
  pathAppId: string,
  settings: Settings,
): Refusal | null {
  const known = (appId: string) => Object.hasOwn(settings.workspaces, appId)
  if (!known(appKey)) return ROWS.auth_app_id_invalid
  if (!known(pathAppId)) return ROWS.invalid_app_id
  if (appKey !== pathAppId) return ROWS.app_key_mismatch
  const key = settings.workspaces[appKey]?.key ?? ''
  if (key === '') return ROWS.app_secret_not_set
  return secret === key ? null : ROWS.app_secret_mismatch
}

/** The overview lists MOE-APPKEY among the required headers, but has no row for its absence. */
function judgeAppKey(header: string | string[] | undefined, pathAppId: string): Refusal | null {
  if (header === undefined || header === '') {
    return { ...ROWS.content_type_missing, message: 'The MOE-APPKEY Header is required' }
  }
  return header === pathAppId ? null : ROWS.app_key_mismatch
}
