import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '@relay/shared/clock.js'
import { settingsSchema, type SettingsInput } from './settings.js'
import { World } from './world.js'
import { refusal, ROWS, type Answer, type Refusal } from './vendor/answers.js'
import { ENDPOINTS, type Endpoint } from './vendor/body.js'
import { serveControl } from './http/control.js'
import { serveData } from './http/data.js'
import { PAGE, PAGE_POLICY } from './http/page.js'

/** A running simulator, controlled from the same process. */
export type Simulator = World & {
  /** Origin without trailing slash, for relay's base URL. */
  readonly url: string
  readonly port: number
  /** Cuts every connection and stops. */
  readonly close: () => Promise<void>
}

/** Idle connections are kept longer than any client keeps them, so that the client decides. */
const KEEP_ALIVE_MS = 65_000

/** Starts a simulator; throws `ZodError` for wrong options and what `listen` throws. */
export async function startSimulator(
  options: SettingsInput = {},
  clock: Clock = systemClock,
): Promise<Simulator> {
  const world = new World(settingsSchema.parse(options), clock)
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (req, res) => {
    void route(world, req, res)
  })
  const { host } = world.settings
  server.listen(world.settings.port, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return Object.assign(world, {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${port}`,
    port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

const ENDPOINT_NAMES: readonly string[] = ENDPOINTS
const isEndpoint = (name: string): name is Endpoint => ENDPOINT_NAMES.includes(name)

const PAGE_ANSWER: Answer = {
  status: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': PAGE_POLICY,
  },
  body: PAGE,
}

/** Sends a request to the data endpoints, the control API or the page. Never rejects. */
async function route(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '/').split('?', 2)
  const [, root, name = '', appId, ...rest] = path.split('/')
  if (root === 'control') await serveControl(world, request, response)
  else if (root === '') send(response, PAGE_ANSWER)
  else if (root !== 'v1' || !isEndpoint(name) || rest.length > 0) {
    refuse(world, request, response, ROWS.not_found)
  } else if (request.method !== 'POST') {
    refuse(world, request, response, ROWS.method_not_allowed)
  } else {
    await serveData(world, request, response, {
      endpoint: name,
      appId: appIdOf(appId, query),
      projectCode: new URLSearchParams(query).get('project_code'),
    })
  }
}

function refuse(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  row: Refusal,
): void {
  request.resume()
  send(response, refusal(row, world.random.bytes(6).toString('base64url')))
}

/** overview: "app_id is required in path/query params". Empty: neither names it. */
function appIdOf(segment: string | undefined, query: string): string {
  if (segment === undefined || segment === '') {
    return new URLSearchParams(query).get('app_id') ?? ''
  }
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body)
}
