import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import express, { type NextFunction, type Request, type Response } from 'express'
import type { Keyring } from '@relay/shared/config/secret.js'
import { createRequestId, MAX_COUNTED_ELEMENTS, producerTag } from '@relay/shared/request-id.js'
import type { Acceptor, AcceptDeps, Acceptance, IntakeRequest } from '../accept/accept.js'
import type { Endpoint } from '../accept/parse.js'
import type { ProducersTrace, Workspaces } from '../accept/ports.js'
import { authenticate } from '../guard/authenticate.js'
import { withoutByteOrderMark } from '../json/scan.js'
import type { Cause, Refusal } from '../refusal.js'
import { boundUnreadBody, readBody } from './body.js'
import { HttpCaller } from './http-caller.js'
import { FairTurns } from '../accept/fairness.js'
import { DOCS_PATHS, serveDocs } from './docs.js'
import { refusalAnswer, send, type Answer } from './envelope.js'
import {
  callersRequestId,
  readHeaders,
  readQuery,
  type IntakeHeaders,
  type IntakeQuery,
} from './headers.js'
import { Imports } from './imports.js'
import * as routes from './routes.js'
import { ProducerLimiter, type Slot, type ProducerLimits } from './producer-limiter.js'

export interface IntakeLimits extends ProducerLimits {
  /** Largest body after decompression, bytes. */
  readonly maxRequestBytes: number
  /** Maximum time from a body's first byte to its last, ms. */
  readonly bodyMs: number
  /** Maximum concurrent imports. */
  readonly maxImports: number
  readonly maxImportsPerProducer: number
  /** Maximum time to wait for each 32 KB of an import, ms. */
  readonly importIdleMs: number
  /** Maximum time of Redis for a trace, ms. */
  readonly traceMs: number
}

export const DEFAULT_LIMITS: IntakeLimits = {
  maxRequestBytes: 1_048_576,
  // A buffered body takes up to ten times its size while it is parsed and stored.
  maxHeldBytes: 24 * 1_048_576,
  maxPostsPerProducer: 256,
  placeWaitMs: 500,
  // Far above what normal clients open; five such producers reach the limit of the process.
  maxConnectionsPerProducer: 2_000,
  bodyMs: 30_000,
  maxImports: 16,
  maxImportsPerProducer: 4,
  importIdleMs: 30_000,
  // Operators' reads on the same connection take longer; a producer is answered within a second.
  traceMs: 800,
}

export interface IntakeDeps extends Omit<AcceptDeps, 'limits' | 'idempotency'> {
  readonly acceptor: Acceptor
  readonly workspaces: Workspaces
  /** The current producers. */
  readonly producers: () => Keyring
  /** Ends imports in progress, so that the process can stop. */
  readonly stopping: AbortSignal
  readonly producersTrace: ProducersTrace
  readonly limits: IntakeLimits
}

/** Maximum concurrent decompressions: each has its own window and buffers besides its output. */
const MAX_UNPACKING = 4

/** Reported to the observer instead of a status if the caller disconnected before its answer. */
const ABORTED = 499

/** What the access log and metrics need about a request. */
interface RequestContext {
  readonly route: string
  readonly startedMs: number
  appId: string | null
  producer: string | null
  bodyBytes: number
  elements: number
  cause: Cause | null
}

/**
 * The intake as an Express app without middleware: each route checks path, credentials and headers,
 * then reads the body, so that no body is read for an unauthorised caller. Posts to a plain path,
 * almost all requests, bypass the router, which takes a sixth of the time of a post of one element
 * (docs/design/adr/0012-hot-path.md).
 */
export function createIntakeApp(deps: IntakeDeps): RequestListener {
  const intake = new Intake(deps)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.set('query parser', 'simple')
  for (const path of routes.VENDOR_PATHS) app.all(path, intake.elsewhere)
  for (const endpoint of routes.ENDPOINTS) {
    app.post(`/v1/${endpoint}{/:appId}`, (request, response) =>
      intake.post(endpoint, appIdsOf(request), request, response),
    )
    app.all(`/v1/${endpoint}{/:appId}`, intake.refuse(endpoint, routes.WRONG_METHOD))
  }
  app.post(routes.IMPORT_PATH, intake.lines)
  app.all(routes.IMPORT_PATH, intake.refuse('import', routes.WRONG_METHOD))
  app.get(routes.REQUEST_PATH, intake.trace)
  app.all(routes.REQUEST_PATH, intake.refuse('requests', routes.GET_ONLY))
  app.get(DOCS_PATHS, intake.named)
  serveDocs(app)
  app.use(intake.refuse('unknown', routes.UNKNOWN_PATH))
  app.use(intake.failed)
  return (request, response) => {
    const plain = request.method === 'POST' ? routes.plainPost(request.url ?? '') : null
    if (plain === null) {
      app(request, response)
      return
    }
    intake
      .post(plain.endpoint, [plain.appId], request, response)
      .catch((error: unknown) => intake.failed(error, request, response, () => response.destroy()))
  }
}

/** A post before its body is read. */
interface Asking {
  readonly endpoint: Endpoint
  readonly sender: Pick<IntakeRequest, 'workspace' | 'producer'>
  readonly caller: HttpCaller
  readonly headers: IntakeHeaders
  readonly query: IntakeQuery
}

type Handler = (request: Request, response: Response) => Promise<void> | void

class Intake {
  readonly #deps: IntakeDeps
  readonly #acceptor: Acceptor
  readonly #limiter: ProducerLimiter
  readonly #imports: Imports
  readonly #unpacking = new FairTurns(MAX_UNPACKING)

  constructor(deps: IntakeDeps) {
    this.#deps = deps
    this.#acceptor = deps.acceptor
    this.#limiter = new ProducerLimiter(deps.limits)
    this.#imports = new Imports(deps, deps.limits, deps.stopping)
  }

  /** A post of elements. */
  async post(
    endpoint: Endpoint,
    appIds: readonly string[] | null,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const known = this.#begin(endpoint)
    const sender = this.#sender(request, response, appIds, known)
    if (sender === null) return
    const read = readHeaders(request)
    if (!read.ok) {
      this.#refuse(request, response, read.refusal, known)
      return
    }
    const asked = readQuery(request.url ?? '')
    if (!asked.ok) {
      this.#refuse(request, response, asked.refusal, known)
      return
    }
    const caller = new HttpCaller(request, response)
    const begun = this.#limiter.begin(sender.producer, caller)
    const place = begun instanceof Promise ? await begun : begun
    if (place === null) {
      this.#left(known)
      return
    }
    if ('status' in place) {
      this.#refuse(request, response, place, known)
      return
    }
    try {
      const from = { endpoint, sender, caller, headers: read.headers, query: asked.query }
      await this.#take(request, response, from, place, known)
    } finally {
      place.release()
    }
  }

  /** Reads the body, accepts it and answers, within its producer's slot. */
  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    { endpoint, sender, caller, headers, query }: Asking,
    place: Slot,
    known: RequestContext,
  ): Promise<void> {
    const { maxRequestBytes: maxBytes, bodyMs: mostMs } = this.#deps.limits
    const limits = { maxBytes, mostMs }
    const read = await readBody(request, headers.gzip, limits, place, this.#unpacking, caller)
    if (read.outcome === 'aborted') {
      this.#left(known)
      return
    }
    if (read.outcome === 'refused') {
      this.#refuse(request, response, read.refusal, known)
      return
    }
    known.bodyBytes = read.body.length
    // One plain literal: a spread costs as much as an element.
    const accepted = await this.#acceptor.accept({
      endpoint,
      workspace: sender.workspace,
      producer: sender.producer,
      caller,
      lane: headers.lane,
      lenient: headers.lenient,
      idempotencyKey: headers.idempotencyKey,
      projectCode: query.projectCode,
      warnings: query.warnings,
      body: withoutByteOrderMark(read.body),
      room: (bytes) => place.take(bytes),
    })
    this.#conclude(request, response, accepted, known)
  }

  /** An import: a stream of lines, answered once all are stored or one cannot be. */
  readonly lines: Handler = async (request, response) => {
    const known = this.#begin('import')
    const sender = this.#sender(request, response, appIdsOf(request), known)
    if (sender === null) return
    // The number of elements is not known yet; the id says "more than can be counted".
    const requestId = this.#requestId(known, MAX_COUNTED_ELEMENTS)
    const result = await this.#imports.run(request, sender, requestId)
    known.elements = result.accepted
    known.bodyBytes = result.bodyBytes
    known.cause = result.cause
    if (result.answer === null) this.#tell(ABORTED, requestId, known)
    else {
      if (!request.complete) boundUnreadBody(request, response)
      this.#answer(request, response, result.answer, requestId, known)
    }
  }

  /** The trace of a producer's own request. */
  readonly trace: Handler = async (request, response) => {
    const known = this.#begin('requests')
    const sender = this.#sender(request, response, [], known)
    if (sender === null) return
    const requestId = String(request.params.requestId)
    const { producersTrace, limits } = this.#deps
    const trace = await within(
      limits.traceMs,
      producersTrace(requestId, sender.workspace.appId, sender.producer),
    ).catch(() => 'unavailable' as const)
    if (trace === null || trace === 'unavailable') {
      const refusal = trace === null ? routes.UNKNOWN_REQUEST : routes.TRACE_UNAVAILABLE
      this.#refuse(request, response, refusal, known)
      return
    }
    const answer = { status: 200, body: JSON.stringify(trace) }
    this.#answer(request, response, answer, this.#requestId(known), known)
  }

  /** Adds the request id to an answer that is built elsewhere. */
  readonly named = (request: Request, response: Response, next: NextFunction): void => {
    const own = this.#requestId(this.#begin('docs'))
    response.set('X-Request-Id', callersRequestId(request) ?? own)
    next()
  }

  refuse(route: string, refusal: Refusal): Handler {
    return (request, response) => {
      this.#refuse(request, response, refusal, this.#begin(route))
    }
  }

  /** The workspace's host for a known producer, otherwise only the general form of a host. */
  readonly elsewhere: Handler = (request, response) => {
    const known = this.#begin('elsewhere')
    const sender = this.#authenticate(request, [])
    if (sender.ok) known.appId = sender.workspace.appId
    const host = sender.ok ? sender.workspace.baseUrl : routes.GENERIC_HOST
    this.#refuse(request, response, routes.elsewhereRefusal(host, request.path), known)
  }

  /** Express knows an error handler by its four parameters. */
  readonly failed = (
    error: unknown,
    request: IncomingMessage,
    response: ServerResponse,
    next: NextFunction,
  ) => {
    if (response.headersSent) {
      // Too late for an answer: Express closes the connection.
      next(error)
      return
    }
    const known = this.#begin('unknown')
    if (error instanceof URIError) {
      this.#refuse(request, response, routes.BROKEN_PATH, known)
      return
    }
    const requestId = this.#refuse(request, response, routes.FAILED, known)
    this.#deps.observer.failed(error, requestId)
  }

  #authenticate(request: IncomingMessage, appIds: readonly string[]) {
    const { 'moe-appkey': appKey, authorization } = request.headers
    const key = typeof appKey === 'string' ? appKey : undefined
    const asked = { appIds, authorization, appKey: key }
    const sender = authenticate(asked, this.#deps.workspaces, this.#deps.producers())
    const refusal = sender.ok ? this.#limiter.own(request.socket, sender.producer) : null
    return refusal === null ? sender : { ok: false as const, refusal }
  }

  /** Who sends it, also for log and metrics; null: it is refused. `appIds` null: it names none. */
  #sender(
    request: IncomingMessage,
    response: ServerResponse,
    appIds: readonly string[] | null,
    known: RequestContext,
  ) {
    const sender =
      appIds === null
        ? { ok: false as const, refusal: routes.NO_APP_ID }
        : this.#authenticate(request, appIds)
    if (!sender.ok) {
      this.#refuse(request, response, sender.refusal, known)
      return null
    }
    known.appId = sender.workspace.appId
    known.producer = sender.producer
    return sender
  }

  #begin(route: string): RequestContext {
    const startedMs = this.#deps.clock.monotonicMs()
    return { route, startedMs, appId: null, producer: null, bodyBytes: 0, elements: 0, cause: null }
  }

  #conclude(
    request: IncomingMessage,
    response: ServerResponse,
    accepted: Acceptance,
    known: RequestContext,
  ): void {
    switch (accepted.outcome) {
      case 'left':
        this.#left(known)
        return
      case 'refused':
        this.#refuse(request, response, accepted.refusal, known)
        return
      case 'replayed': {
        const { body, requestId } = accepted
        const answer = { status: 200, body, headers: { 'Idempotency-Replayed': 'true' } }
        this.#answer(request, response, answer, requestId, known)
        return
      }
      case 'accepted': {
        known.elements = accepted.elements
        const answer = { status: 200, body: accepted.body }
        this.#answer(request, response, answer, accepted.requestId, known)
      }
    }
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: Refusal,
    known: RequestContext,
  ): string {
    const requestId = this.#requestId(known)
    known.cause = refusal.cause ?? null
    if (!request.complete) boundUnreadBody(request, response)
    this.#answer(request, response, refusalAnswer(refusal, requestId), requestId, known)
    return requestId
  }

  /** The caller went away before its answer. */
  #left(known: RequestContext): void {
    this.#tell(ABORTED, this.#requestId(known), known)
  }

  #requestId({ producer }: RequestContext, elements = 0): string {
    const { clock, random } = this.#deps
    const tag = producer === null ? 0 : producerTag(producer)
    return createRequestId(clock.nowMs(), elements, tag, random)
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    requestId: string,
    known: RequestContext,
  ): void {
    send(response, answer, callersRequestId(request) ?? requestId)
    this.#tell(answer.status, requestId, known)
  }

  /** Reports the end of a request to the observer. */
  #tell(status: number, requestId: string, known: RequestContext): void {
    const { route, appId, producer, bodyBytes, elements, cause } = known
    const durationMs = this.#deps.clock.monotonicMs() - known.startedMs
    const facts = { route, status, cause, durationMs, requestId, appId, producer, bodyBytes, elements } // prettier-ignore
    this.#deps.observer.answered(facts)
  }
}

/** The result of `promise`; rejects if it takes longer. */
async function within<T>(mostMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new Error('took too long')) }, mostMs) // prettier-ignore
  })
  return Promise.race([promise, late]).finally(() => { clearTimeout(timer) }) // prettier-ignore
}

/** App ids in path and query, the path's first; null if there is none. One that is repeated is refused with the query. */
function appIdsOf(request: Request): string[] | null {
  const { appId } = request.params
  const query = request.query.app_id
  if (Array.isArray(query)) return typeof appId === 'string' ? [appId] : []
  const appIds = [appId, query].filter((id): id is string => typeof id === 'string' && id !== '')
  return appIds.length === 0 ? null : appIds
}
