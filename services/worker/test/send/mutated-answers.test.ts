import { once } from 'node:events'
import net from 'node:net'
import { mutated } from '@relay/test/support/mutate.js'
import { systemClock } from '@relay/shared/clock.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { classify } from '../../src/classify/classify.js'
import { OUTCOME_LABELS, outcomeLabel } from '../../src/classify/outcome.js'
import { HttpSender } from '../../src/send/http-sender.js'

/** More in a campaign: FUZZ_RUNS=100000. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 1_500)
const SEED = 20_261_123
/** Long enough for any answer here; those that never end are part of the game. */
const TIMEOUT_MS = 150
const AT_ONCE = 16

const answer = (status: string, body: string, ...headers: readonly string[]) =>
  Buffer.from(
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...headers,
      '',
      body,
    ].join('\r\n'),
  )
const failed = (type: string, message: string, attribute = '') =>
  JSON.stringify({ status: 'fail', error: { message, type, request_id: 'r', attribute } })

const ANSWERS: readonly Buffer[] = [
  answer('200 OK', '{"status":"success","message":"ok","request_id":"x"}'),
  answer('400 Bad Request', failed('AttributeError', 'elements[3] is wrong', 'elements.3')),
  answer('401 Unauthorized', failed('Authentication required', 'App Secret key mismatch')),
  answer('413 Payload Too Large', failed('Payload too large', 'can not exceed 128KB')),
  answer('429 Too Many', failed('Rate Limit Exceeded', 'slow down'), 'Retry-After: 3'),
  answer('500 Oops', '<html>oops</html>'),
  answer('307 Elsewhere', '', 'Location: http://127.0.0.1:1/'),
  Buffer.from(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{"status":"success"}\r\n0\r\n\r\n',
  ),
]

describe('any answer of MoEngage', () => {
  const server = net.createServer()
  /** What the next request gets. */
  let sequence = 0

  beforeAll(async () => {
    server.on('connection', (socket) => {
      const said = mutated(ANSWERS, seededRandom(SEED + sequence++))
      let heard = ''
      socket.on('error', () => undefined)
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1')
        // Once the whole request is there.
        if (heard.endsWith(BODY)) socket.write(said)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterAll(() => server.close())

  const BODY = '{"type":"transition","elements":[{"type":"event"}]}'

  it('is an outcome of the closed set, and no success that was not said', async () => {
    const labels = new Map<string, number>()
    let left = RUNS
    const asker = async (): Promise<void> => {
      while (left-- > 0) {
        // A connection each: what is left over of one answer is no other's.
        const sender = new HttpSender({
          ...{ appId: 'SHOP', apiKey: 'vendor-key', version: '1', maxSockets: 1 },
          baseUrl: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
          clock: systemClock,
        })
        const got = await sender.attempt({
          body: () => Buffer.from(BODY),
          deadlineMonotonicMs: systemClock.monotonicMs() + TIMEOUT_MS,
          mayFinish: () => true,
          signal: new AbortController().signal,
        })
        sender.close()
        const outcome = classify(got, systemClock.nowMs())
        const label = outcomeLabel(outcome)
        expect(OUTCOME_LABELS).toContain(label)
        labels.set(label, (labels.get(label) ?? 0) + 1)
        if (outcome.outcome === 'delivered') {
          expect(got).toMatchObject({ kind: 'response' })
          if (got.kind !== 'response') continue
          expect(got.status >= 200 && got.status < 300).toBe(true)
          expect(JSON.parse(got.body)).toMatchObject({ status: 'success' })
        }
        if ('error' in outcome) expect(JSON.stringify(outcome.error).length).toBeLessThan(10_000)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, asker))
    // Both sides of the border are seen.
    expect(labels.get('delivered')).toBeGreaterThan(RUNS / 500)
    expect(labels.size).toBeGreaterThan(8)
  })
})
