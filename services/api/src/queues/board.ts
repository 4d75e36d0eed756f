import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createBullBoard } from '@bull-board/api'
import type {
  AppControllerRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app'
import express, { Router, type RequestHandler } from 'express'
import { PartitionAdapter } from './partition-adapter.js'
import { QUEUES_PATH } from './session.js'
import type { WaitingQueues } from './waiting-queues.js'

/** Queues that are shown at most: the fullest. A relay may have thousands. */
export const SHOWN_MOST = 64
/** Between two looks for queues that came or went, ms. */
const LOOK_EVERY_MS = 1_000

/** Everything comes from here; the board's components style themselves in the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "worker-src 'self'",
  "img-src 'self' data:",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

const UI_CONFIG: UIConfig = {
  boardTitle: 'relay queues',
  hideDocsLink: true,
  hideRedisDetails: true,
  showWorkers: false,
  showMetrics: false,
  sortQueues: true,
  miscLinks: [{ text: 'relay console', url: '/' }],
  overview: { groupByDelimiter: true },
}

/**
 * bull-board on the queues that are not empty. Only reading exists: the adapters refuse to write, of
 * the board's routes none but those of GET are there, and nothing but GET gets as far as that.
 */
export function queueBoard(source: WaitingQueues): RequestHandler {
  const adapter = new ReadingServer()
  const ui = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'))
  const options = { uiBasePath: ui, uiConfig: UI_CONFIG }
  const board = createBullBoard({ queues: [], serverAdapter: adapter, options })
  const look = everySoOften(async () => {
    const queues = await source.list(SHOWN_MOST)
    board.replaceQueues(queues.map((queue) => new PartitionAdapter(queue, source)))
  }, LOOK_EVERY_MS)
  const router = Router()
  router.use((request, response, next) => {
    response.set(HEADERS)
    if (request.method === 'GET' || request.method === 'HEAD') next()
    else response.set('Allow', 'GET').status(405).json({ error: 'The queue view changes nothing' })
  })
  router.use('/api', async (_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    await look()
    next()
  })
  router.use(adapter.router)
  return router
}

/** Calls made within the time share one run; a failure is told to all of them and not remembered. */
function everySoOften(run: () => Promise<void>, everyMs: number): () => Promise<void> {
  let last: Promise<void> | null = null
  return () => {
    if (last !== null) return last
    const running = run()
    last = running
    const forget = () => (last = null)
    running.then(() => setTimeout(forget, everyMs).unref(), forget)
    return running
  }
}

/** bull-board's server, reduced to what reads: static files, the page and the routes of GET. */
class ReadingServer implements IServerAdapter {
  readonly router = Router()
  #queues: BullBoardQueues = new Map()
  #views = ''
  #config: UIConfig = {}
  #failed: (error: Error) => ControllerHandlerReturnType = () => ({ status: 500, body: '' })

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues
    return this
  }

  setViewsPath(path: string): this {
    this.#views = path
    return this
  }

  setStaticPath(route: string, path: string): this {
    this.router.use(route, express.static(path, { index: false, immutable: true, maxAge: '1h' }))
    return this
  }

  setUIConfig(config: UIConfig): this {
    this.#config = config
    return this
  }

  setErrorHandler(handler: (error: Error) => ControllerHandlerReturnType): this {
    this.#failed = handler
    return this
  }

  setEntryRoute({ route }: { route: string | string[] }): this {
    const page = pageOf(readFileSync(join(this.#views, 'index.ejs'), 'utf8'), this.#config)
    this.router.get(route, (_request, response) => {
      response.set('Cache-Control', 'no-cache').type('html').send(page)
    })
    return this
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    for (const definition of routes) {
      if (definition.method !== 'get') continue
      this.router.get(definition.route, async (request, response) => {
        const { query, params } = request
        const parts = { queues: this.#queues, uiConfig: this.#config, body: {}, headers: {} }
        try {
          const { status = 200, body } = await definition.handler({ ...parts, query, params })
          response.status(status).json(body)
        } catch (error) {
          const { status = 500, body } = this.#failed(error as Error)
          response.status(status).json(body)
        }
      })
    }
    return this
  }
}

/**
 * The board's page with its few places filled in. Its link to fonts on another host goes: relay's
 * console works without the Internet, and tells nobody that it is open.
 */
function pageOf(template: string, config: UIConfig): string {
  const safeJson = JSON.stringify(config).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e')
  const values: Readonly<Record<string, string>> = {
    basePath: `${QUEUES_PATH}/`,
    title: config.boardTitle ?? '',
    favIconDefault: 'static/images/logo.svg',
    favIconAlternative: 'static/favicon-32x32.png',
    uiConfig: safeJson,
  }
  return template
    .replaceAll(/<link [^>]*href="https?:[^>]*>\s*/g, '')
    .replaceAll(/<%[-=] *(\w+) *%>/g, (_, name: string) => values[name] ?? '')
}
