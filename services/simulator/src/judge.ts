import type { IncomingHttpHeaders } from 'node:http'
import { matches, type FaultRule } from './faults.js'
import { ROWS, type Refusal } from './vendor/answers.js'
import type { DropReason, RecordedRequest } from './record/record.js'
import { namesOf, type Settings } from './settings.js'
import { decodeBody, type DecodedBody, type Endpoint, type ReceivedElement } from './vendor/body.js'
import { judgeElement } from './vendor/elements.js'
import { SILENT_DROPS, silentDrops } from './vendor/silent-drops.js'
import type { World } from './world.js'

export interface ArrivedRequest {
  readonly appId: string
  readonly endpoint: Endpoint
  readonly headers: IncomingHttpHeaders
  /** null: larger than any ceiling, not kept. */
  readonly body: Buffer | null
  readonly bodyBytes: number
}

export type Verdict =
  | { readonly kind: 'accept'; readonly elements: readonly ReceivedElement[] }
  | { readonly kind: 'refuse'; readonly refusal: Refusal }

const UNSEEN: DecodedBody = {
  ok: true,
  elements: [],
  cost: { users: 0, events: 0, devices: 0 },
}

const refuse = (refusal: Refusal): Verdict => ({ kind: 'refuse', refusal })

/** Checks headers, size and JSON, in that order: everything that does not need the elements. */
export function decodeRequest(world: World, request: ArrivedRequest): DecodedBody {
  const { settings, faults } = world
  const { appId, endpoint, headers, body, bodyBytes } = request
  const refusal = judgeHeaders(headers, appId, settings)
  if (refusal !== null) return { ok: false, refusal }
  const subject = { appId, endpoint, elements: [] }
  const lowered = faults.take((a) => a.kind === 'body_ceiling', subject, world.nowMs())?.action
  const ceiling = lowered?.kind === 'body_ceiling' ? lowered.bytes : Infinity
  const maxBytes = Math.min(ceiling, world.limitsOf(appId).maxBodyBytes)
  if (body === null || bodyBytes > maxBytes) return { ok: false, refusal: ROWS.payload_too_large }
  if (settings.record === 'sizes') return UNSEEN
  return decodeBody(body, endpoint, settings.record === 'elements', namesOf(settings, appId))
}

/**
 * Decides about a decoded request at its arrival and, when it is accepted, charges the budgets.
 * `refused` is a scripted fault that refuses elements.
 */
export function judge(
  world: World,
  request: RecordedRequest,
  decoded: DecodedBody,
  refused: FaultRule | null,
  nowMs: number,
): Verdict {
  if (!decoded.ok) return refuse(decoded.refusal)
  const { settings } = world
  const wallMs = world.clock.nowMs()
  const names = namesOf(settings, request.appId)
  const good: ReceivedElement[] = []
  const invalid: [ReceivedElement, Refusal][] = []
  for (const element of decoded.elements) {
    const fault =
      judgeElement(element.value, wallMs, names) ?? scriptedRefusal(element.value, refused)
    if (fault === null) good.push(element)
    else if (settings.validation === 'strict') return refuse(fault)
    else invalid.push([element, fault])
  }
  const { appId } = request
  const limits = world.limitsOf(appId)
  const budgets = world.budgetsOf(appId)
  const fits = budgets.hasRoom(nowMs, decoded.cost, limits, settings.windowMode)
  if (!fits && settings.enforceLimits) return refuse(ROWS.rate_limit)
  budgets.accept(nowMs, decoded.cost, limits)
  for (const [element, { message }] of invalid) drop(world, request, element, 'invalid', message)
  return { kind: 'accept', elements: good.filter((one) => isKept(world, request, one, nowMs)) }
}

/** Processing after the 200: what is dropped is recorded, but not reported to the caller. */
function isKept(
  world: World,
  request: RecordedRequest,
  element: ReceivedElement,
  nowMs: number,
): boolean {
  const { settings } = world
  const { appId, projectCode } = request
  const { customer, units } = element
  if (world.policyOf(appId).arrive(nowMs, customer, units)) {
    drop(world, request, element, 'fair_usage_policy', 'too many data requests for this user')
    return false
  }
  const projects = settings.workspaces[appId]?.projects ?? settings.projects
  if (projectCode !== null && projects.length > 0 && !projects.includes(projectCode)) {
    drop(world, request, element, 'unknown_project', `no such project: ${projectCode}`)
    return false
  }
  if (!settings.newerRules) return true
  const lost = [...silentDrops(element.value, namesOf(settings, appId))]
  for (const { reason, path } of lost) {
    drop(world, request, element, reason, SILENT_DROPS[reason], path)
  }
  return lost.every(({ path }) => path !== '')
}

function drop(
  { record, clock }: World,
  { requestId, appId, projectCode }: RecordedRequest,
  { customer, type, raw }: ReceivedElement,
  reason: DropReason,
  message: string,
  path = '',
): void {
  const facts = { requestId, appId, projectCode, customer, type, raw }
  record.drops.add({ ...facts, reason, path, message, atMs: clock.nowMs() })
}

function scriptedRefusal(element: unknown, rule: FaultRule | null): Refusal | null {
  if (rule?.action.kind !== 'refuse' || rule.when === undefined) return null
  if (!matches(element, rule.when)) return null
  const attribute = rule.action.attribute ?? rule.when.path.split('.').at(-1) ?? rule.when.path
  const message = rule.action.message ?? `${attribute} is not acceptable`
  return { status: 400, type: rule.action.type, message, attribute }
}

interface BasicCredentials {
  readonly appKey: string
  readonly secret: string
}

/**
 * Checks the headers, in the order of the overview's table; null if they are valid. `pathAppId` is
 * null if the request names no app id.
 */
function judgeHeaders(
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
