import type { IncomingMessage, ServerResponse } from 'node:http'
import { refusal, ROWS, type Answer, type Refusal } from '../vendor/answers.js'
import { ENDPOINTS, type Endpoint } from '../vendor/body.js'
import type { World } from '../world.js'
import { serveControl } from './control.js'
import { serveData } from './data.js'
import { PAGE, PAGE_POLICY } from './page.js'

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
export async function route(
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
