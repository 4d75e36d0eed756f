import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { FaultInput } from '../faults.js'
import type { RecordedRequest } from '../record/record.js'
import type { Settings, SettingsPatch } from '../settings.js'
import type { World } from '../world.js'
import { readBody } from './connection.js'

interface Reply {
  readonly status: number
  /** JSON text. */
  readonly body: string
}

interface Call {
  readonly world: World
  readonly query: URLSearchParams
  /** Parsed JSON body; undefined without one. */
  readonly body: unknown
  /** The path after the resource. */
  readonly id: string
}

const MAX_BODY_BYTES = 1_000_000
const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 50_000

const reply = (value: unknown, status = 200): Reply => ({ status, body: JSON.stringify(value) })
const problem = (status: number, message: string) => reply({ error: { message } }, status)

const number = (query: URLSearchParams, name: string, fallback: number, max: number): number => {
  const value = Number(query.get(name) ?? fallback)
  return Number.isFinite(value) ? Math.min(Math.max(0, value), max) : fallback
}
const since = (query: URLSearchParams) => number(query, 'since', 0, Number.MAX_SAFE_INTEGER)
const limit = (query: URLSearchParams) => number(query, 'limit', DEFAULT_LIMIT, MAX_LIMIT)

/** Method and resource → what it does. `GET /control` lists them. */
const CALLS: Readonly<Record<string, (call: Call) => Reply>> = {
  'GET ': () => reply({ calls: Object.keys(CALLS).map((c) => c.replace(' ', ' /control/')) }),
  'GET settings': ({ world }) => reply(publicSettings(world.settings)),
  'PATCH settings': ({ world, body }) =>
    reply(publicSettings(world.configure(body as SettingsPatch))),
  'GET faults': ({ world }) => reply({ faults: world.faults.list(world.nowMs()) }),
  'POST faults': addFaults,
  'DELETE faults': ({ world, id }) => {
    if (id === '') world.faults.clear()
    else if (!world.faults.remove(id)) return problem(404, `no such fault: ${id}`)
    return reply({ faults: world.faults.list(world.nowMs()) })
  },
  'GET record': ({ world }) => reply(summary(world)),
  'DELETE record': ({ world }) => {
    world.reset()
    return reply({ reset: true })
  },
  'GET requests': listRequests,
  'GET elements': listElements,
  'GET drops': listDrops,
}

/** Keys are secrets, even in a simulator. */
function publicSettings(settings: Settings) {
  const workspaces = Object.entries(settings.workspaces).map(([appId, { key, ...rest }]) => {
    return [appId, { ...rest, keySet: key !== '' }]
  })
  return { ...settings, workspaces: Object.fromEntries(workspaces) as unknown }
}

function addFaults({ world, body }: Call): Reply {
  const rules = (Array.isArray(body) ? body : [body]) as FaultInput[]
  return reply({ added: rules.map((rule) => world.addFault(rule)) }, 201)
}

function listRequests({ world, query }: Call): Reply {
  const { requests } = world.record
  const newest = query.get('newest')
  const max = limit(query)
  const found = requests.after(newest === null ? since(query) : requests.last - max, max)
  const shown = query.get('customers') === '1' ? found : found.map(briefRequest)
  return reply({ requests: shown, last: requests.last, first: requests.first })
}

function listElements({ world, query }: Call): Reply {
  const { elements } = world.record
  const max = limit(query)
  const from = query.get('newest') === null ? since(query) : elements.last - max
  const appId = query.get('app_id')
  const all = elements.after(from, max)
  const found = appId === null ? all : all.filter((e) => e.appId === appId)
  const text = elementsJson(found, query.get('raw') === '1')
  const next = all.at(-1)?.seq ?? Math.max(from, 0)
  const facts = JSON.stringify({ next, last: elements.last, first: elements.first })
  return { status: 200, body: `${facts.slice(0, -1)},"elements":${text}}` }
}

function listDrops({ world, query }: Call): Reply {
  const { byReason, newest } = world.record.drops
  const dropped = elementsJson(newest.after(since(query), limit(query)), query.get('raw') === '1')
  const facts = JSON.stringify({ byReason, last: newest.last, first: newest.first })
  return { status: 200, body: `${facts.slice(0, -1)},"dropped":${dropped}}` }
}

/** The whole record in numbers, of bounded size. */
function summary(world: World) {
  const { record } = world
  const { totals, overlap, requests, elements } = record
  return {
    nowMs: world.nowMs(),
    windowMs: world.settings.windowMs,
    windowMode: world.settings.windowMode,
    totals,
    drops: record.drops.byReason,
    customerPolicy: world.policy(),
    statuses: Object.fromEntries(record.statuses),
    budgets: world.budgets(),
    bodyBytes: record.bodyBytes.summary(),
    customers: record.customerCount,
    overlap: {
      open: overlap.open,
      maxOpen: overlap.maxOpen,
      maxOfOneCustomer: overlap.maxOverlap,
      overlaps: overlap.overlaps,
    },
    held: {
      requests: { first: requests.first, last: requests.last },
      elements: { first: elements.first, last: elements.last },
    },
  }
}

/** A request without the list of its customers, which can be long. */
function briefRequest({ customers, ...rest }: RecordedRequest) {
  return { ...rest, customers: customers.length }
}

/**
 * JSON text of recorded elements with their own bytes inside, so that no number is re-written.
 * `asText`: the element as a JSON string in `raw`, for readers whose parser would change numbers.
 */
function elementsJson(
  elements: readonly { readonly raw: Buffer | null }[],
  asText: boolean,
): string {
  const items = elements.map(({ raw, ...facts }) => {
    const text = raw?.toString('utf8') ?? 'null'
    const last = asText ? `"raw":${JSON.stringify(text)}` : `"element":${text}`
    return `${JSON.stringify(facts).slice(0, -1)},${last}}`
  })
  return `[${items.join(',')}]`
}

/** An id with an invalid escape is not found. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}

/** Serves `/control/…`. Never rejects. */
export async function serveControl(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator')
  const [, , resource = '', id = ''] = pathname.split('/')
  const read = await readBody(request, MAX_BODY_BYTES)
  if (!read.complete) return
  const text = read.body?.toString('utf8') ?? ''
  const call = { world, query: searchParams, id: decoded(id) }
  const { status, body } = perform(`${request.method ?? ''} ${resource}`, call, text)
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(body)
}

function perform(name: string, call: Omit<Call, 'body'>, text: string): Reply {
  const action = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined
  if (action === undefined)
    return problem(404, `no such call: ${name}; GET /control lists the calls`)
  try {
    return action({ ...call, body: text === '' ? {} : (JSON.parse(text) as unknown) })
  } catch (error) {
    if (error instanceof z.ZodError) return problem(400, z.prettifyError(error))
    if (error instanceof SyntaxError) return problem(400, 'the body is not JSON')
    throw error
  }
}
