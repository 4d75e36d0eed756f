import { once } from 'node:events'
import { connect } from 'node:net'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { basicAuth, call } from '@relay/shared/process/http-call.js'
import { failed, ok, warning, type Finding } from './finding.js'

const TIMEOUT_MS = 5_000

/** Checks that the host of a workspace can be reached; sends nothing. */
export async function checkReachability({ appId, baseUrl }: Workspace): Promise<Finding> {
  const { hostname, port, protocol } = new URL(baseUrl)
  const reason = await connectionFault(hostname, Number(port || (protocol === 'http:' ? 80 : 443)))
  const { pathname } = new URL(baseUrl)
  const target = pathname === '/' ? '' : `; relay posts to ${baseUrl}/v1/transition/${appId}`
  if (reason === null) return ok(`MoEngage for ${appId}`, `${baseUrl} is reachable${target}`)
  const remedy = 'Check dc or baseUrl, DNS, and outgoing firewall rules'
  return failed(`MoEngage for ${appId}`, `${baseUrl} is not reachable (${reason})`, remedy)
}

async function connectionFault(host: string, port: number): Promise<string | null> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return null
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException
    return name === 'AbortError' ? 'no answer in time' : (code ?? message)
  } finally {
    socket.destroy()
  }
}

/** Tries the key at the vendor's test endpoint. openapi: `POST /v1/integrations/authentication`. */
export async function checkCredentials(workspace: Workspace, ca: string | null): Promise<Finding> {
  const { appId, apiKey, baseUrl, forwardedFor } = workspace
  const what = `Key of ${appId}`
  const region = /api-(\d+)\./.exec(baseUrl)?.[1]
  const url = `${baseUrl}/v1/integrations/authentication`
  const how = {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'MOE-APPKEY': appId,
      Authorization: basicAuth(appId, apiKey),
      ...(forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor }),
    },
    body: JSON.stringify({
      app_id: appId,
      app_secret: apiKey,
      source: 'relay',
      ...(region === undefined ? {} : { region }),
    }),
    silenceMs: TIMEOUT_MS,
    // Like the worker, ignores NODE_TLS_REJECT_UNAUTHORIZED.
    tls: { ca },
  }
  const answer = await call(url, how).catch(() => null)
  if (answer === null) return failed(what, 'no answer', 'Try again once the host is reachable')
  switch (answer.status) {
    case 200:
      return ok(what, 'MoEngage accepts it')
    case 401:
    case 403:
    case 409:
      return failed(
        what,
        `MoEngage refuses it (${answer.status})`,
        'Compare with Settings > Account > APIs in the MoEngage dashboard',
      )
    default:
      return warning(
        what,
        `the test endpoint answered ${answer.status}`,
        'This proves nothing about the key; relay status shows whether deliveries succeed',
      )
  }
}
