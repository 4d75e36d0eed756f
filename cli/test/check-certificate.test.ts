import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { Authority } from '@relay/test/support/tls.js'
import { checkCredentials, checkReachability } from '../src/check/moengage.js'
import { FakeApi } from './console-double.js'

const authority = new Authority('authority of a test')
const other = new Authority('another authority')
const vendor: Server = createServer(authority.issue('MoEngage of a test'), (_, response) =>
  response.end('{}'),
)
const workspaceAt = (baseUrl: string) => ({ appId: 'A', apiKey: 'k', baseUrl }) as Workspace
let workspace: Workspace

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  workspace = workspaceAt(`https://127.0.0.1:${(vendor.address() as AddressInfo).port}`)
})
afterAll(async () => {
  vendor.closeAllConnections()
  await new Promise((resolve) => vendor.close(resolve))
})

it.each([
  ['no configured authority', null, /NODE_EXTRA_CA_CERTS or MOENGAGE_CA_FILE/],
  ['another authority', other.cert, /set MOENGAGE_CA_FILE/],
])('a refused certificate is the cause under both checks, with %s', async (_, ca, remedy) => {
  expect(await checkReachability(workspace, ca)).toMatchObject({
    level: 'failed',
    detail: expect.stringMatching(/ is reachable, but its certificate is refused \([A-Z_]+\)$/),
    remedy: expect.stringMatching(remedy),
  })
  expect(await checkCredentials(workspace, ca)).toMatchObject({
    level: 'failed',
    detail: expect.stringContaining('its certificate is refused'),
    remedy: expect.stringMatching(remedy),
  })
})

it('with its authority the host is reachable', async () => {
  expect(await checkReachability(workspace, authority.cert)).toMatchObject({ level: 'ok' })
  const named = workspaceAt(workspace.baseUrl.replace('127.0.0.1', 'localhost'))
  expect(await checkReachability(named, authority.cert)).toMatchObject({ level: 'ok' })
})

it('https at a port without TLS is told', async () => {
  const plain = new FakeApi()
  await plain.start()
  const finding = await checkReachability(workspaceAt(plain.url.replace('http', 'https')), null)
  expect(finding.detail).toContain('is reachable, but the TLS handshake fails')
  await plain.stop()
})
