import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { freePort } from '@relay/tools/process/port.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.js'

const trace = (digit: string) => digit.repeat(32)
const span = (digit: string) => digit.repeat(16)
const traceparent = (digit: string, flags: '00' | '01') =>
  `00-${trace(digit)}-${span(digit)}-${flags}`

const CUSTOMER = 'ada-4711@example.org'
const event = (n: number) => ({
  type: 'event',
  customer_id: CUSTOMER,
  actions: [{ action: 'Paid in confidence', attributes: { n } }],
})

/** What MoEngage is sent: the header of each request, and its body. */
interface Arrival {
  readonly headers: readonly string[]
  readonly body: string
}

describe('with a receiver of traces', () => {
  let relay: Relay
  let receiver: OtlpReceiver
  let moengage: Server
  const arrivals: Arrival[] = []
  /** Until then MoEngage does not answer. */
  let answering: Promise<void> = Promise.resolve()
  const arrived = () => arrivals.map(({ body }) => body).join()

  beforeAll(async () => {
    receiver = await startOtlpReceiver()
    moengage = createServer((request, response) => {
      const headers = request.rawHeaders.filter((_, i) => i % 2 === 0)
      void text(request)
        .then((body) => {
          arrivals.push({ headers, body })
          return answering
        })
        .then(() => {
          response.writeHead(200, { 'Content-Type': 'application/json' })
          response.end('{"status":"success","message":"accepted","request_id":"m"}')
        })
    })
    await new Promise<void>((resolve) => moengage.listen(0, '127.0.0.1', resolve))
    const { port } = moengage.address() as AddressInfo
    relay = await Relay.start({
      env: {
        MOENGAGE_BASE_URL: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
      },
    })
  })
  afterAll(async () => {
    await relay.stop()
    receiver.close()
    moengage.close()
    moengage.closeAllConnections()
  })

  const intakeOf = (traceId: string) =>
    receiver.spans.find((s) => s.service === 'relay-api' && s.traceId === traceId)
  /** The request to MoEngage that is linked to this span. */
  const bulkOf = (intake: { traceId: string; spanId: string }) =>
    receiver.spans.find(
      ({ service, links }) =>
        service === 'relay-worker' &&
        links?.some(({ traceId, spanId }) => traceId === intake.traceId && spanId === intake.spanId), // prettier-ignore
    )

  it('the intake’s span stands in the producer’s trace, and the bulk request’s is linked to it', async () => {
    // The customer has a request in flight until then: both wait for it.
    let answerFirst: () => void = () => undefined
    answering = new Promise((resolve) => (answerFirst = resolve))
    await relay.postElements([event(0)], { traceparent: traceparent('e', '00') })
    await waitFor(() => arrivals.length === 1, { what: 'the first request' })
    for (const digit of ['a', 'b']) {
      const headers = { traceparent: traceparent(digit, '01') }
      expect((await relay.postElements([event(1)], headers)).status).toBe(200)
    }
    answerFirst()
    const [first, second] = await waitFor(
      () => {
        const found = [intakeOf(trace('a')), intakeOf(trace('b'))] as const
        return found.every((intake) => intake !== undefined && bulkOf(intake)) && found
      },
      { what: 'both traces, to the end', timeoutMs: 20_000 },
    )
    expect(first).toMatchObject({
      parentSpanId: span('a'),
      attributes: { 'relay.app_id': APP_ID, 'relay.producer': 'shop', 'relay.elements': 1 },
    })
    expect(second).toMatchObject({ parentSpanId: span('b') })
    const bulk = bulkOf(first!)!
    expect(bulk).toBe(bulkOf(second!))
    expect(bulk.parentSpanId ?? '').toBe('')
    expect([trace('a'), trace('b')]).not.toContain(bulk.traceId)
    expect(bulk.attributes).toMatchObject({
      'relay.outcome': 'delivered',
      'relay.posts': 2,
      'http.response.status_code': 200,
    })
  })

  it('a producer that decided against is not traced, one that is unknown neither, another begins a trace', async () => {
    const quiet = await relay.postElements([event(2)], { traceparent: traceparent('c', '00') })
    const unknown = { traceparent: traceparent('d', '01'), Authorization: 'Basic QTpC' }
    expect((await relay.postElements([event(3)], unknown)).status).toBe(401)
    const before = receiver.spans.length
    const plain = await relay.postElements([event(4)])
    expect([quiet.status, plain.status]).toEqual([200, 200])
    const own = JSON.parse(plain.body) as { request_id: string }
    await waitFor(
      () => {
        const intake = receiver.spans
          .slice(before)
          .find(({ attributes }) => attributes['relay.request_id'] === own.request_id)
        return intake !== undefined && bulkOf(intake)
      },
      { what: 'its own trace' },
    )
    await waitFor(() => arrived().includes('"n":2') && arrived().includes('"n":4'), { what: 'both' }) // prettier-ignore
    expect(receiver.raw()).not.toContain(trace('c'))
    expect(receiver.raw()).not.toContain(trace('d'))
  })

  it('an import is one request, however many batches it is stored in', async () => {
    const lines = Array.from({ length: 600 }, (_, n) => JSON.stringify(event(1000 + n))).join('\n')
    const headers = { 'Content-Type': 'application/x-ndjson', traceparent: traceparent('f', '01') }
    expect((await relay.post(`/v1/import/${APP_ID}`, lines, headers)).status).toBe(200)
    await waitFor(() => arrived().includes('"n":1599'), { what: 'the last line', timeoutMs: 20_000 }) // prettier-ignore
    const intake = await waitFor(() => intakeOf(trace('f')), { what: 'the span of the import' })
    expect(intake.attributes).toMatchObject({ 'http.route': 'import', 'relay.elements': 600 })
    await waitFor(() => bulkOf(intake), { what: 'a request with its lines' })
    expect(receiver.spans.filter(({ traceId }) => traceId === trace('f'))).toHaveLength(1)
  })

  it('nothing of customers reaches the receiver, nothing of traces reaches MoEngage', () => {
    expect(receiver.raw()).not.toMatch(/ada-4711|Paid in confidence|producer-secret|vendor-key/)
    expect(arrived()).toContain(CUSTOMER)
    expect(arrived()).not.toMatch(/trace|span/i)
    const names = new Set(arrivals.flatMap(({ headers }) => headers.map((h) => h.toLowerCase())))
    expect([...names].filter((name) => /trace|baggage|b3/.test(name))).toEqual([])
  })
})

it('a receiver that is away is told of once, and holds nothing up, not even the end', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  const relay = await Relay.start({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: nobody } })
  try {
    for (let n = 0; n < 5; n += 1) expect((await relay.postElements([event(n)])).status).toBe(200)
    await relay.simulator.until((record) => record.totals.events === 5)
    const complaints = () =>
      relay.api.logs().filter(({ message }) => message === 'traces could not be sent')
    await waitFor(() => complaints().length > 0, { what: 'the complaint', timeoutMs: 20_000 })
    expect(complaints()).toHaveLength(1)
    const ends = await Promise.all([relay.api.stop(), ...relay.workers.map((w) => w.stop())])
    expect(ends).toEqual([{ code: 0, signal: null }, { code: 0, signal: null }]) // prettier-ignore
  } finally {
    await relay.stop()
  }
})
