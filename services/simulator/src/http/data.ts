import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AppliedFault, FaultSubject, FaultAction } from '../faults.js'
import { decodeRequest, judge, type Verdict } from '../judge.js'
import type { OpenRequest } from '../record/overlap.js'
import type { ArrivalRecord, RecordedRequest } from '../record/record.js'
import {
  addressRefused,
  refusal,
  ROWS,
  success,
  type Answer,
  rateLimitHeaders,
} from '../vendor/answers.js'
import type { DecodedBody, Endpoint } from '../vendor/body.js'
import * as vendor from '@relay/shared/vendor/limits.js'
import type { World } from '../world.js'
import { readBody, sleep } from './connection.js'

const resetsAtStart = (action: FaultAction) => action.kind === 'reset' && action.at === 'start'
const isDelay = (action: FaultAction) => action.kind === 'delay'
const isRefusal = (action: FaultAction) => action.kind === 'refuse'
/** The fault that decides the answer, selected at arrival. */
const isAnswer = (action: FaultAction) => ANSWERING.includes(action.kind) && !resetsAtStart(action)
const ANSWERING: readonly FaultAction['kind'][] = [
  'answer',
  'status',
  'rate_limit',
  'hang',
  'reset',
  'garbage',
  'drip',
]

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly entry: RecordedRequest
  readonly open: OpenRequest
  /** The record in which this exchange began; a reset replaces the record. */
  readonly record: ArrivalRecord
}

export interface DataTarget {
  readonly endpoint: Endpoint
  readonly appId: string
  readonly projectCode: string | null
}

/** Serves one request to a data endpoint, from its first byte to its end. Never rejects. */
export async function serveData(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  target: DataTarget,
): Promise<void> {
  const { endpoint, appId } = target
  const exchange = begin(world, request, response, target)
  const { entry } = exchange
  const here = { appId, endpoint, elements: [] }
  if (resetAtStart(world, exchange, here)) return
  const read = await readBody(request, vendor.MAX_BODY_BYTES)
  entry.bytes = read.bytes
  if (!read.complete) {
    drop(world, exchange)
    return
  }
  const delay = world.faults.take(isDelay, here, world.nowMs())?.action
  const extra = delay?.kind === 'delay' ? delay : { beforeMs: 0, afterMs: 0 }
  const { latency } = world.settings
  const beforeMs = extra.beforeMs + latency.beforeMs + jitter(world, latency.beforeJitterMs)
  const mayDrop = world.settings.closedBeforeArrival === 'drop'
  await sleep(beforeMs, mayDrop ? response : undefined)
  if (mayDrop && response.closed) {
    drop(world, exchange)
    return
  }
  if (!isAddressAllowed(world, appId, request)) {
    refuseAddress(exchange, world)
    await respond(world, exchange, addressRefused(), null)
    return
  }
  const arrived = { appId, endpoint, headers: request.headers, body: read.body }
  const decoded = decodeRequest(world, { ...arrived, bodyBytes: read.bytes })
  const fault = arrive(world, exchange, decoded)
  const answer = decide(world, exchange, decoded, fault)
  world.notify()
  await sleep(extra.afterMs + latency.afterMs + jitter(world, latency.afterJitterMs))
  await respond(world, exchange, answer, fault?.action ?? null)
}

const jitter = (world: World, upToMs: number) => (upToMs === 0 ? 0 : world.random.next() * upToMs)

function begin(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  { endpoint, appId, projectCode }: DataTarget,
): Exchange {
  const { record } = world
  const nowMs = world.nowMs()
  const requestId = world.random.bytes(6).toString('base64url')
  const entry = record.begin(requestId, appId, endpoint, nowMs, projectCode)
  entry.remotePort = request.socket.remotePort ?? null
  const open = record.overlap.begin(requestId, nowMs)
  const exchange = { request, response, entry, open, record }
  response.on('close', () => end(world, exchange))
  return exchange
}

/** The exchange is over for the client: answered in full, or its connection is gone. */
function end(world: World, { entry, open, record }: Exchange): void {
  if (entry.endedAtMs !== null) return
  entry.endedAtMs = world.nowMs()
  record.overlap.end(open, entry.endedAtMs)
  world.notify()
}

function resetAtStart(world: World, exchange: Exchange, subject: FaultSubject): boolean {
  const fault = world.faults.take(resetsAtStart, subject, world.nowMs())
  if (fault === null) return false
  exchange.entry.fault = fault.id
  exchange.record.totals.faulted += 1
  drop(world, exchange)
  exchange.request.socket.resetAndDestroy()
  return true
}

function drop(world: World, exchange: Exchange): void {
  exchange.record.settle(exchange.entry, 'dropped')
  world.notify()
  end(world, exchange)
}

/** Records the arrival and finds the scripted fault, if any, for this request. */
function arrive(world: World, exchange: Exchange, decoded: DecodedBody): AppliedFault | null {
  const { entry, record, open } = exchange
  const { appId, endpoint } = entry
  const nowMs = world.nowMs()
  record.arrive(entry, nowMs)
  if (decoded.ok) {
    entry.elements = decoded.elements.length
    entry.cost = decoded.cost
    const customers = new Set(decoded.elements.map((e) => e.customer))
    entry.customers = [...customers]
    record.overlap.carries(open, appId, customers)
    world.budgetsOf(appId).arrive(nowMs, decoded.cost, world.limitsOf(appId))
  }
  const elements = decoded.ok ? decoded.elements.map((e) => e.value) : []
  const fault = world.faults.take(isAnswer, { appId, endpoint, elements }, nowMs)
  if (fault === null) return null
  entry.fault = fault.id
  record.totals.faulted += 1
  return fault
}

/** Decides the answer and records the elements of an accepted request. */
function decide(
  world: World,
  exchange: Exchange,
  decoded: DecodedBody,
  fault: AppliedFault | null,
): Answer {
  const { entry, record } = exchange
  const { appId, endpoint, requestId } = entry
  const early = fault === null ? null : unprocessed(fault.action, requestId)
  if (early !== null) {
    record.settle(entry, 'refused')
    return early
  }
  const elements = decoded.ok ? decoded.elements.map((e) => e.value) : []
  const nowMs = entry.arrivedAtMs ?? world.nowMs()
  const refusing = world.faults.take(isRefusal, { appId, endpoint, elements }, nowMs)
  const verdict = judge(world, entry, decoded, refusing?.rule ?? null, nowMs)
  if (refusing !== null) entry.fault ??= refusing.id
  return settle(exchange, verdict, fault?.action ?? null)
}

function settle({ entry, record }: Exchange, verdict: Verdict, action: FaultAction | null): Answer {
  if (verdict.kind === 'refuse') {
    record.settle(entry, 'refused')
    const { refusal: why } = verdict
    entry.type = why.type
    entry.message = why.message
    return refusal(why, entry.requestId)
  }
  record.accept(entry, verdict.elements, entry.arrivedAtMs ?? entry.startedAtMs)
  if (action?.kind === 'garbage') {
    return { status: 200, headers: { 'content-type': 'text/html' }, body: action.body }
  }
  if (action?.kind === 'status') return statusAnswer(action)
  return success(entry.requestId)
}

function isAddressAllowed(world: World, appId: string, { headers }: IncomingMessage): boolean {
  const { settings } = world
  const allowed = settings.workspaces[appId]?.allowedIps ?? settings.allowedIps
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',')
  return allowed.length === 0 || forwarded.some((address) => allowed.includes(address.trim()))
}

/** The firewall comes before everything else: nothing arrives. */
function refuseAddress({ entry, record }: Exchange, world: World): void {
  entry.type = 'IP Validation Required'
  record.settle(entry, 'refused')
  world.notify()
}

function gaugeHeaders(world: World, appId: string): Record<string, string> {
  const { rateLimitHeaders: form, windowMode, workspaces } = world.settings
  if (form === 'off' || !Object.hasOwn(workspaces, appId)) return {}
  const gauge = world.budgetsOf(appId).gauge(world.nowMs(), world.limitsOf(appId), windowMode)
  return rateLimitHeaders(gauge, form, world.nowMs())
}

const statusAnswer = ({ status, headers, body }: FaultAction & { kind: 'status' }): Answer => ({
  status,
  headers,
  body,
})

const retryAfter = (seconds: number | null): Record<string, string> =>
  seconds === null ? {} : { 'retry-after': String(seconds) }

/** Represents the answer of a request whose connection is cut instead. */
const neverSent = (requestId: string) => refusal(ROWS.server_error, requestId)

/** The answer of a fault that keeps the request from being processed, or null. */
function unprocessed(action: FaultAction, requestId: string): Answer | null {
  if (action.kind === 'answer') return refusal(ROWS[action.row], requestId, action.headers)
  if (action.kind === 'status') return action.processed ? null : statusAnswer(action)
  if (action.kind === 'rate_limit') {
    return refusal(ROWS.rate_limit, requestId, retryAfter(action.retryAfterSeconds))
  }
  const hangs = action.kind === 'hang' && !action.processed
  const resets = action.kind === 'reset' && action.at !== 'answer'
  return hangs || resets ? neverSent(requestId) : null
}

async function respond(
  world: World,
  exchange: Exchange,
  answer: Answer,
  action: FaultAction | null,
): Promise<void> {
  const { request, response, entry, record } = exchange
  if (action?.kind === 'hang') await sleep(action.maxMs, response)
  if (action?.kind === 'hang' || action?.kind === 'reset') {
    request.socket.resetAndDestroy()
    end(world, exchange)
    return
  }
  if (response.closed) return
  record.answered(entry, answer.status)
  const body = Buffer.from(answer.body)
  const headers = { ...gaugeHeaders(world, entry.appId), ...answer.headers }
  response.writeHead(answer.status, { ...headers, 'content-length': body.length })
  const rest = action?.kind === 'drip' ? await drip(response, body, action) : body
  // Before the last byte is sent: the client may send the next request as soon as it reads the answer.
  end(world, exchange)
  response.end(rest)
}

/** Sends the body in parts and returns the last part, which completes the answer. */
async function drip(
  response: ServerResponse,
  body: Buffer,
  { bytes, everyMs }: { readonly bytes: number; readonly everyMs: number },
): Promise<Buffer> {
  let at = 0
  for (; at + bytes < body.length && !response.closed; at += bytes) {
    response.write(body.subarray(at, at + bytes))
    await sleep(everyMs, response)
  }
  return body.subarray(at)
}
