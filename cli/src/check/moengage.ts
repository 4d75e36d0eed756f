import { once, type EventEmitter } from 'node:events'
import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { isCertificateFault } from '@relay/shared/process/certificate-fault.js'
import { basicAuth, call } from '@relay/shared/process/http-call.js'
import { failed, ok, warning, type Finding } from './finding.js'

const TIMEOUT_MS = 5_000

/** Checks that the host of a workspace can be reached and, with https, trusted; sends nothing. */
export async function checkReachability(
  { appId, baseUrl }: Workspace,
  ca: string | null,
): Promise<Finding> {
  const what = `MoEngage for ${appId}`
  const { hostname, port, protocol, pathname } = new URL(baseUrl)
  const isTls = protocol === 'https:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const socket = connect({ host, port: Number(port || (isTls ? 443 : 80)) })
  try {
    const reason = await faultBefore(socket, 'connect')
    const remedy = 'Check dc or baseUrl, DNS, and outgoing firewall rules'
    if (reason !== null) return failed(what, `${baseUrl} is not reachable (${reason})`, remedy)
    const servername = isIP(host) === 0 ? host : ''
    // Like the worker, ignores NODE_TLS_REJECT_UNAUTHORIZED.
    const trust = { rejectUnauthorized: true, ...(ca !== null && { ca }) }
    const secure = isTls ? connectTls({ socket, host, servername, ...trust }) : null
    const refusal = secure === null ? null : await faultBefore(secure, 'secureConnect')
    if (refusal !== null) return untrusted(what, `${baseUrl} is reachable, but`, refusal, ca)
  } finally {
    socket.destroy()
  }
  const target = pathname === '/' ? '' : `; relay posts to ${baseUrl}/v1/transition/${appId}`
  return ok(what, `${baseUrl} is reachable${target}`)
}

/** Why an event of a connection does not come; null if it does. */
async function faultBefore(socket: EventEmitter, event: string): Promise<string | null> {
  return once(socket, event, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(() => null, reasonOf)
}

function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  return name === 'AbortError' ? 'no answer in time' : (code ?? message)
}

function untrusted(what: string, before: string, reason: string, ca: string | null): Finding {
  if (!isCertificateFault(reason)) {
    const remedy = 'Check that dc or baseUrl names a TLS port, and proxies on the way'
    return failed(what, `${before} the TLS handshake fails (${reason})`, remedy)
  }
  // MOENGAGE_CA_FILE replaces all other authorities.
  const place = ca === null ? 'NODE_EXTRA_CA_CERTS or MOENGAGE_CA_FILE' : 'MOENGAGE_CA_FILE'
  const remedy = `Check dc or baseUrl, and proxies on the way; for a private authority set ${place} of the workers to its certificate`
  return failed(what, `${before} its certificate is refused (${reason})`, remedy)
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
  const answer = await call(url, how).catch(reasonOf)
  if (typeof answer === 'string') {
    if (isCertificateFault(answer))
      return untrusted(what, `${baseUrl} is reachable, but`, answer, ca)
    return failed(what, `no answer (${answer})`, 'Try again once the host is reachable')
  }
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
