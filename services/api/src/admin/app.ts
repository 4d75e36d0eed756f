import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import type { Clock } from '@relay/shared/clock.js'
import { NameStore } from '@relay/shared/census/name-store.js'
import type { Keyring } from '@relay/shared/config/secret.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import {
  appIdOfLetter,
  type DeadLetterStore,
} from '@relay/shared/dead-letters/dead-letter-store.js'
import { MAX_ERASURES, type ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { PostStore, NotStoredReason } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'
import { readBacklog, workspacesWithData } from '@relay/shared/queue/backlog.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { readPartitions } from '@relay/shared/queue/workers.js'
import { ShadowReportStore } from '@relay/shared/shadow/shadow-report.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import { readRedisFacts } from '@relay/shared/observability/shared-state.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { lossRisk } from '@relay/shared/redis/durability-level.js'
import {
  explainRedisError,
  isRefusedByRedis,
  titleOf,
  type RedisProblem,
} from '@relay/shared/redis/explain.js'
import type { TraceStore } from '@relay/shared/trace/trace-store.js'
import { addConsole } from './console.js'
import type { IntakeProblem } from '../guard/intake-problem.js'
import {
  answer,
  invalid,
  notFound,
  refuse,
  RefusedError,
  type AdminRefusal,
  requireToken,
} from './answer.js'
import { AuditLog, selectedCustomer, selectionFields, AuditStore, Pseudonyms } from './audit.js'
import type { BacklogHistory } from './backlog-history.js'
import { vocabularyOf } from '../validate/vocabulary.js'
import { type Eraser, type ErasureView, parseForget } from './eraser.js'
import { namesView, MAX_PARTITIONS, partitionsView, shadowView } from './views.js'
import {
  letterJson,
  listLetters,
  selected,
  parseAuditQuery,
  parseListQuery,
  parseSelection,
  type Selection,
} from './selection.js'
import { setPaused } from './pause.js'
import { purge, replay } from './letters.js'
import { traceRequest, operatorsTrace } from './request-trace.js'
import { readOrphaned, readWorkspaces } from './workspace-view.js'
import { workspacesFileProblem } from './configuration.js'

export interface AdminDeps {
  /** The current admin tokens. */
  readonly operators: () => Keyring
  readonly workspaces: Pick<WorkspaceDirectory, 'all' | 'get' | 'faults'>
  /** A separate connection: a long read must not delay posts. */
  readonly client: RedisClient
  readonly prefix: string
  readonly windowMs: number
  readonly letters: DeadLetterStore
  /** The backlog as last read; null: unknown. */
  readonly lanes: () => readonly LaneBacklog[] | null
  readonly traces: TraceStore
  readonly erasures: ErasureStore
  readonly eraser: Pick<Eraser, 'begin' | 'view'>
  /** The intake's own way into the queues. */
  readonly store: PostStore
  readonly history: BacklogHistory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Why Redis is unavailable; null while it is not. */
  readonly redisProblem: () => RedisProblem | null
  /** Why this api refuses posts; null while it does not. */
  readonly intakeProblem: () => IntakeProblem | null
}

/** Largest body: 10,000 ids fit. */
const MAX_BODY = '1mb'
/** When to repeat a replay that found no room, s. */
const RETRY_AFTER_S = 5

/** The operator API; handles what nothing else on the ops port handles. */
export function createAdminApp(deps: AdminDeps): Express {
  const admin = new Admin(deps)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  addConsole(app)
  // Any Content-Type is read as JSON: no other format is accepted, and curl sends another type by default.
  const json = express.json({ limit: MAX_BODY, type: () => true })
  app.use('/admin', requireToken(deps.operators), json)
  route(app, '/admin/workspaces', { get: admin.workspaces })
  route(app, '/admin/workspaces/:appId/pause', { post: admin.pause })
  route(app, '/admin/workspaces/:appId/resume', { post: admin.resume })
  route(app, '/admin/workspaces/:appId/shadow', { get: admin.shadow, delete: admin.forgetShadow })
  route(app, '/admin/workspaces/:appId/names', { get: admin.names, delete: admin.forgetNames })
  route(app, '/admin/history', { get: admin.history })
  route(app, '/admin/partitions', { get: admin.partitions })
  route(app, '/admin/dead-letters', { get: admin.list, delete: admin.purge })
  route(app, '/admin/dead-letters/replay', { post: admin.replay })
  route(app, '/admin/dead-letters/:id', { get: admin.show })
  route(app, '/admin/forget', { post: admin.forget })
  route(app, '/admin/forget/:id', { get: admin.forgotten })
  route(app, '/admin/audit', { get: admin.audit })
  route(app, '/admin/requests/:requestId', { get: admin.trace })
  app.use((request: Request) => {
    const { path } = request
    throw notFound(
      path.startsWith('/v1/') ? `${path} ${OF_THE_INTAKE}` : `no such endpoint: ${path}`,
    )
  })
  app.use(admin.failed)
  return app
}

/** The answer to a producer that uses the operators' port instead of the intake's. */
const OF_THE_INTAKE =
  'is not served on the ops port. Post it to the intake, on PORT (8080 by default)'

type Handler = (request: Request, response: Response) => Promise<void> | void

function route(
  app: Express,
  path: string,
  handlers: Partial<Record<'get' | 'post' | 'delete', Handler>>,
): void {
  const { get, post, delete: remove } = handlers
  if (get) app.get(path, get)
  if (post) app.post(path, post)
  if (remove) app.delete(path, remove)
  const allowed = Object.keys(handlers).map((method) => method.toUpperCase())
  app.all(path, () => {
    const message = `Use ${allowed.join(' or ')}`
    const headers = { Allow: allowed.join(', ') }
    throw new RefusedError({ status: 405, type: 'MethodNotAllowed', message, headers })
  })
}

class Admin {
  readonly #deps: AdminDeps
  readonly #audit: AuditLog
  readonly #auditStore: AuditStore
  /** Until the state is read again. */
  #isRedisFaultLogged = false

  constructor(deps: AdminDeps) {
    this.#deps = deps
    const { client, prefix, log, random } = deps
    this.#auditStore = new AuditStore(client, prefix)
    this.#audit = new AuditLog(log, this.#auditStore, new Pseudonyms(client, prefix, random))
  }

  readonly workspaces: Handler = async (_request, response) => {
    const { client, clock } = this.#deps
    const [views, orphaned, redis] = await Promise.all([
      readWorkspaces(this.#deps, this.#deps.workspaces.all()),
      readOrphaned(this.#deps, this.#appIds(null)),
      readRedisFacts(client, clock),
    ])
    this.#isRedisFaultLogged = false
    answer(response, 200, {
      intake_problem: this.#deps.intakeProblem(),
      loss_risk: lossRisk(redis),
      workspaces_file_problem: workspacesFileProblem(this.#deps.workspaces.faults),
      orphaned,
      ...views,
    })
  }

  readonly history: Handler = (_request, response) =>
    answer(response, 200, this.#deps.history.view())

  readonly partitions: Handler = async (_request, response) => {
    const { client, prefix, clock } = this.#deps
    const deployment = new Deployment(client, prefix)
    // Also those of workspaces that were taken out of the configuration.
    const appIds = await workspacesWithData(deployment, this.#appIds(null))
    const list = await readPartitions(client, prefix, appIds, MAX_PARTITIONS)
    answer(response, 200, partitionsView(list, clock.nowMs()))
  }

  readonly pause: Handler = (request, response) => this.#setPaused(request, response, true)

  readonly resume: Handler = (request, response) => this.#setPaused(request, response, false)

  async #setPaused(request: Request, response: Response, paused: boolean): Promise<void> {
    const { client, prefix } = this.#deps
    const appId = String(request.params.appId)
    const workspace = this.#known(appId)
    await setPaused(client, prefix, appId, paused)
    await this.#audit.action(request, paused ? 'pause' : 'resume', { appId })
    const { workspaces } = await readWorkspaces(this.#deps, [workspace])
    answer(response, 200, workspaces[0])
  }

  readonly shadow: Handler = async (request, response) => {
    const { client, prefix, windowMs } = this.#deps
    const workspace = this.#known(String(request.params.appId))
    const [record, lanes] = await Promise.all([
      new ShadowReportStore(client, prefix, workspace.appId).read(),
      readBacklog(client, prefix, [workspace.appId]),
    ])
    answer(response, 200, shadowView(workspace, record, lanes, windowMs))
  }

  readonly forgetShadow: Handler = async (request, response) => {
    const { client, prefix } = this.#deps
    const { appId } = this.#known(String(request.params.appId))
    await new ShadowReportStore(client, prefix, appId).reset()
    await this.#audit.action(request, 'shadow.reset', { appId })
    answer(response, 200, { app_id: appId })
  }

  readonly names: Handler = async (request, response) => {
    const { client, prefix } = this.#deps
    const { appId } = this.#known(String(request.params.appId))
    answer(response, 200, namesView(appId, await new NameStore(client, prefix, appId).read()))
  }

  readonly forgetNames: Handler = async (request, response) => {
    const { client, prefix } = this.#deps
    const { appId } = this.#known(String(request.params.appId))
    await new NameStore(client, prefix, appId).reset()
    await this.#audit.action(request, 'names.reset', { appId })
    answer(response, 200, { app_id: appId })
  }

  readonly list: Handler = async (request, response) => {
    const query = parseListQuery(request.query)
    answer(response, 200, await listLetters(this.#deps.letters, this.#appIds(query.appId), query))
  }

  readonly show: Handler = async (request, response) => {
    const [letter] = await this.#deps.letters.get([String(request.params.id)])
    if (!letter) throw notFound('No such dead letter: it was replayed, purged or has expired')
    answer(response, 200, letterJson(letter))
  }

  readonly replay: Handler = async (request, response) => {
    const selection = parseSelection(request.body)
    const steps = selected(this.#deps.letters, this.#appIdsOf(selection), selection)
    const { count, stopped } = await replay(this.#deps, steps)
    const fields = { ...selectionFields(selection), count, stopped }
    await this.#audit.action(request, 'dead_letters.replay', fields, selectedCustomer(selection))
    if (stopped === null) answer(response, 200, { count })
    else throw replayStopped(count, stopped)
  }

  readonly purge: Handler = async (request, response) => {
    const selection = parseSelection(request.body)
    const steps = selected(this.#deps.letters, this.#appIdsOf(selection), selection)
    const count = await purge(this.#deps, steps)
    const fields = { ...selectionFields(selection), count }
    await this.#audit.action(request, 'dead_letters.purge', fields, selectedCustomer(selection))
    answer(response, 200, { count })
  }

  readonly forget: Handler = async (request, response) => {
    const { workspaces } = this.#deps
    const whom = parseForget(request.body, (appId) => vocabularyOf(workspaces.get(appId) ?? {}))
    const { appId } = whom
    if (!workspaces.get(appId) && !(await this.#hasData(appId))) this.#known(appId)
    const view = await this.#deps.eraser.begin(whom)
    if (view === null) throw tooManyErasures()
    const { id, status, queued, dead_letters } = view
    const customer = Buffer.from(whom.customer, 'latin1').toString('hex')
    const fields = { appId, erasure: id, status, queued, dead_letters }
    await this.#audit.action(request, 'forget', fields, customer)
    answer(response, 200, view satisfies ErasureView)
  }

  readonly forgotten: Handler = async (request, response) => {
    const view = await this.#deps.eraser.view(String(request.params.id))
    if (view === null) {
      throw notFound('No erasure with this id, or its record has expired: request it again')
    }
    answer(response, 200, view satisfies ErasureView)
  }

  readonly audit: Handler = async (request, response) => {
    const { limit } = parseAuditQuery(request.query)
    answer(response, 200, { actions: await this.#auditStore.newest(limit) })
  }

  readonly trace: Handler = async (request, response) => {
    const appIds = this.#appIds(null)
    const trace = await traceRequest(this.#deps, appIds, String(request.params.requestId))
    if (trace === null) {
      throw notFound('No request with this id, or its trace has expired')
    }
    // The id does not contain the workspace: without a trace it is known only if there is one. Elements that
    // no queue holds may belong to a removed workspace.
    const isLost = trace.accepted !== null && trace.queued === null
    const [only = null] = appIds.length === 1 && !isLost ? appIds : []
    answer(response, 200, operatorsTrace({ ...trace, appId: trace.appId ?? only }))
  }

  /** Express knows an error handler by its four parameters. */
  readonly failed = (error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) {
      next(error)
      return
    }
    const refusal = refusalOf(error, this.#deps.redisProblem())
    const isUnforeseen = refusal.status >= 500 && !(error instanceof RefusedError)
    if (isUnforeseen) {
      const reason = error instanceof Error ? error.message : String(error)
      if (refusal.status === 503) this.#logRedisFault(reason, refusal.message)
      else this.#deps.log.error('operator request failed', { reason })
    }
    refuse(response, refusal)
  }

  /** Once per outage: a console asks every two seconds. */
  #logRedisFault(reason: string, problem: string): void {
    if (this.#isRedisFaultLogged) return
    this.#isRedisFaultLogged = true
    this.#deps.log.warn('operator requests fail until Redis is available', { reason, problem })
  }

  /** Whether anything of a workspace that is not configured is left to erase. */
  async #hasData(appId: string): Promise<boolean> {
    const { client, prefix, letters } = this.#deps
    const [appIds, counts] = await Promise.all([
      workspacesWithData(new Deployment(client, prefix), []),
      letters.counts(appId),
    ])
    return appIds.has(appId) || Object.values(counts).some((count) => count > 0)
  }

  #known(appId: string): Workspace {
    const workspace = this.#deps.workspaces.get(appId)
    if (!workspace) throw notFound(`no such workspace: ${appId}`)
    return workspace
  }

  #appIds(appId: string | null): readonly string[] {
    if (appId === null) return this.#deps.workspaces.all().map((workspace) => workspace.appId)
    return [this.#known(appId).appId]
  }

  #appIdsOf(selection: Selection): readonly string[] {
    if (selection.by === 'filter') return this.#appIds(selection.appId)
    const unknown = selection.ids.find((id) => !this.#deps.workspaces.get(appIdOfLetter(id)))
    if (unknown !== undefined)
      throw invalid('ids', `${unknown} does not belong to a configured workspace`)
    return []
  }
}

function tooManyErasures(): RefusedError {
  return new RefusedError({
    status: 503,
    type: 'Unavailable',
    message: `${MAX_ERASURES} erasures are in progress. Ask again later`,
    headers: { 'Retry-After': String(RETRY_AFTER_S) },
  })
}

const STOPPED_BY: Readonly<Record<NotStoredReason, string>> = {
  redis_unavailable: 'Redis refuses writes (see /readyz of the api)',
  backlog_full: 'the backlog is full',
  redis_full: 'Redis is full (raise maxmemory, or purge dead letters)',
  dead_letters_full: 'the memory for dead letters is full',
  durability: 'the configured durability was not reached',
}

function replayStopped(count: number, reason: NotStoredReason): RefusedError {
  return new RefusedError({
    status: 503,
    type: 'Unavailable',
    message: `Stopped after ${count}: ${STOPPED_BY[reason]}. The rest remains; retry later`,
    count,
    headers: { 'Retry-After': String(RETRY_AFTER_S) },
  })
}

/** The answer to an error: a refusal, a fault of the body parser, or an unavailable Redis. */
function refusalOf(error: unknown, redis: RedisProblem | null): AdminRefusal {
  if (error instanceof RefusedError) return error.refusal
  if (error instanceof URIError) {
    return { status: 400, type: 'InvalidRequest', message: 'The path is not correctly encoded' }
  }
  const reason = error instanceof Error ? error.message : ''
  const { status } = error as { status?: unknown }
  if (status === 413) {
    return { status: 413, type: 'TooLarge', message: `The body is over ${MAX_BODY}` }
  }
  // What Express' body parser throws carries the status to answer with.
  if (typeof status === 'number' && status < 500) {
    return { status: 400, type: 'InvalidRequest', message: 'The body is not JSON', field: 'body' }
  }
  // What Redis answered to this command says more than the state of the connection.
  const problem = isRefusedByRedis(error) ? explainRedisError(error) : redis
  if (isRefusedByRedis(error) || REDIS_AWAY.test(reason)) {
    const headers = { 'Retry-After': String(RETRY_AFTER_S) }
    const message =
      problem === null
        ? 'Redis does not answer. Look at /readyz of the api and at the log of Redis'
        : `${titleOf(problem)}: ${problem.problem}. ${problem.next}`
    return { status: 503, type: 'Unavailable', message, headers }
  }
  return {
    status: 500,
    type: 'ServerError',
    message: 'Internal error; see the log of the api',
  }
}

/** How ioredis reports that nothing can be read or written now. */
const REDIS_AWAY =
  /enableOfflineQueue|max retries per request|Connection is closed|Command timed out|Too many Cluster redirections/
