import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { startChild } from '@relay/tools/process/child.js'
import { freePort } from '@relay/tools/process/port.js'
import { Authority, startTlsFront, type Certified, type TlsFront } from '../support/tls.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, entryOf, Relay, SECRET } from '../support/relay.js'

const folder = mkdtempSync(join(tmpdir(), 'relay-tls-'))
const ours = new Authority('Test Company')
const theirs = new Authority('Somebody Else')
const redisClient = ours.issue('relay')

/** Writes a file as secrets are mounted: in one step. */
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

const ca = file('ca.pem', ours.cert)
const foreignCa = file('foreign-ca.pem', theirs.cert)

function server(name: string): Certified & { ca: string } {
  return { ...ours.issue(name), ca: ours.cert }
}

describe('TLS on every side, with a private authority', () => {
  const fronts: TlsFront[] = []
  let relay: Relay
  let intake: string

  beforeAll(async () => {
    const own = ours.issue('first')
    relay = await Relay.start({
      env: async ({ redis, simulator }) => {
        const mutual = { ...server('redis'), requestCert: true, rejectUnauthorized: true }
        fronts.push(await startTlsFront(redis.port, mutual))
        fronts.push(await startTlsFront(Number(new URL(simulator.url).port), server('moengage')))
        const [redisPort, vendorPort] = fronts.map(({ port }) => String(port))
        return {
          REDIS_URL: `rediss://127.0.0.1:${redisPort ?? ''}`,
          REDIS_CA_FILE: ca,
          REDIS_CERT_FILE: file('redis.pem', redisClient.cert),
          REDIS_KEY_FILE: file('redis.key', redisClient.key),
          MOENGAGE_BASE_URL: `https://127.0.0.1:${vendorPort ?? ''}`,
          MOENGAGE_CA_FILE: ca,
          RELAY_TLS_CERT_FILE: file('intake.pem', own.cert),
          RELAY_TLS_KEY_FILE: file('intake.key', own.key),
          RELAY_TLS_CLIENT_CA_FILE: ca,
          // Verification cannot be switched off.
          NODE_TLS_REJECT_UNAUTHORIZED: '0',
        }
      },
    })
    intake = relay.apiUrl.replace('http:', 'https:')
  })
  afterAll(async () => {
    await relay.stop()
    await Promise.all(fronts.map((front) => front.stop()))
  })

  /** Status of a post and the name in the certificate it met; rejects when TLS does. */
  function post(client: Certified | null): Promise<{ status: number; met: string }> {
    const agent = new Agent({ ca: ours.cert, ...client })
    return new Promise((resolve, reject) => {
      const asked = request(`${intake}/v1/transition/${APP_ID}`, {
        ...{ method: 'POST', agent, auth: `${APP_ID}:${SECRET}` },
        headers: { 'Content-Type': 'application/json' },
      })
      asked.on('error', reject)
      asked.on('response', (response) => {
        const met = peerName(response)
        response.resume()
        resolve({ status: response.statusCode ?? 0, met })
      })
      const element = { type: 'customer', customer_id: 'ann', attributes: { a: 1 } }
      asked.end(JSON.stringify({ type: 'transition', elements: [element] }))
    })
  }

  test('a post travels through it to MoEngage', async () => {
    expect(await post(ours.issue('shop'))).toEqual({ status: 200, met: 'first' })
    await relay.simulator.until(({ totals }) => totals.elements === 1)
  })

  test('a producer without a certificate, or with one of another authority, is not let in', async () => {
    await expect(post(null)).rejects.toThrow()
    await expect(post(theirs.issue('shop'))).rejects.toThrow()
  })

  test('a renewed certificate is taken up without a restart', async () => {
    const renewed = ours.issue('second')
    file('intake.key', renewed.key)
    file('intake.pem', renewed.cert)
    const client = ours.issue('shop')
    await waitFor(async () => (await post(client)).met === 'second', { what: 'the new one' })
    // A certificate without its key leaves the last good one.
    file('intake.pem', ours.issue('third').cert)
    await relay.api.waitForLine(/certificate of the intake is invalid/)
    expect(await post(client)).toEqual({ status: 200, met: 'second' })
    file('intake.pem', renewed.cert)
  })

  test('MoEngage in a stranger’s certificate gets nothing', async () => {
    const strange = await startTlsFront(Number(new URL(relay.simulator.url).port), {
      ...theirs.issue('moengage'),
    })
    fronts.push(strange)
    await relay.workers[0]?.stop()
    await relay.addWorker({ MOENGAGE_BASE_URL: `https://127.0.0.1:${strange.port}` })
    const before = relay.simulator.record.totals.requests
    expect((await post(ours.issue('shop'))).status).toBe(200)
    await waitFor(() => heldLines(relay).length > 0, {
      what: 'a failed attempt',
      timeoutMs: 20_000,
    })
    const { body } = await relay.operate('GET', 'workspaces')
    expect(body).toMatch(/the certificate of the host.*"next":"Check baseUrl/)
    expect(relay.simulator.record.totals.requests).toBe(before)
    expect(strange.accepted()).toBe(0)
  })

  test('Redis in a stranger’s certificate is not spoken to', async () => {
    const opsPort = await freePort()
    const api = await startChild({
      name: 'api',
      entry: entryOf('api'),
      env: {
        ...relay.env,
        ...{ REDIS_CA_FILE: foreignCa, PORT: '0', OPS_PORT: String(opsPort) },
      },
    })
    await api.waitForLine(/api started/)
    const ready = await fetch(`http://127.0.0.1:${opsPort}/readyz`)
    expect(ready.status).toBe(503)
    await api.stop()
  })
})

/** The name in the certificate of the server that answered. */
function peerName({ socket }: IncomingMessage): string {
  return socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject.CN) : ''
}

/** What the workers logged of attempts that failed in TLS. */
function heldLines(relay: Relay) {
  const text = relay.workers.flatMap((worker) => worker.logs()).map((line) => JSON.stringify(line))
  return text.filter((line) => line.includes('"attempt"') && line.includes('certificate'))
}
