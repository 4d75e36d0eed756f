import { waitFor } from '@relay/tools/wait-for.js'
import { call } from '@relay/shared/process/http-call.js'
import { nowMs } from '../clock.js'
import type { Arrived, Kind, VendorRequest } from '../oracle/model.js'

interface RecordedElement {
  readonly seq: number
  readonly requestId: string
  readonly customer: string
  readonly element: {
    readonly type: 'customer' | 'event' | 'device'
    readonly attributes?: Readonly<Record<string, unknown>>
    readonly actions?: readonly {
      readonly action: string
      readonly attributes?: { readonly seq?: number }
    }[]
  }
}

interface RecordedRequest extends Omit<VendorRequest, 'places'> {
  readonly remotePort: number | null
}

const KINDS: Readonly<Record<RecordedElement['element']['type'], Kind>> = {
  customer: 'user',
  event: 'event',
  device: 'device',
}
const PAGE = 10_000
const TIMEOUT_MS = 5_000

/** The simulator's control API: faults in, evidence out. */
export class Vendor {
  readonly #url: string
  #nextElement = 0
  readonly arrived: Arrived[] = []

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/control`
  }

  async waitUntilUp(): Promise<void> {
    const isUp = async () => (await call(this.#url, { timeoutMs: TIMEOUT_MS })).status === 200
    await waitFor(isUp, { what: 'the simulator', timeoutMs: 20_000 })
  }

  async addFault(fault: object): Promise<void> {
    await this.#send('POST', 'faults', fault)
  }

  async removeFault(id: string): Promise<void> {
    // A fault that has run its course is gone already.
    await call(`${this.#url}/faults/${id}`, { method: 'DELETE', timeoutMs: TIMEOUT_MS })
  }

  /** MoEngage takes so long to process requests: so many, those of so long, or some of them. */
  delay(beforeMs: number, which: object = {}): Promise<void> {
    return this.addFault({ id: 'vendor-slow', ...which, action: { kind: 'delay', beforeMs } })
  }

  async configure(settings: object): Promise<void> {
    await this.#send('PATCH', 'settings', settings)
  }

  /** Reads what arrived since the last call into `arrived`. */
  async readArrivals(): Promise<void> {
    for (;;) {
      const page = await this.#read<{
        next: number
        last: number
        elements: readonly RecordedElement[]
      }>(`elements?since=${this.#nextElement}&limit=${PAGE}`)
      for (const recorded of page.elements) this.arrived.push(...marksOf(recorded))
      this.#nextElement = page.next
      if (page.elements.length === 0 || page.next >= page.last) return
    }
  }

  /** All of them; `sendersAt` names the workers whose connections had a port. */
  async requests(
    sendersAt: (port: number) => readonly string[] = () => [],
  ): Promise<readonly VendorRequest[]> {
    const { requests } = await this.#read<{ requests: readonly RecordedRequest[] }>(
      'requests?customers=1&limit=50000',
    )
    return requests.map(({ remotePort, ...request }) => ({
      ...request,
      places: remotePort === null ? [] : sendersAt(remotePort),
    }))
  }

  async #send(method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
    const reply = await call(`${this.#url}/${path}`, {
      method,
      timeoutMs: TIMEOUT_MS,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    if (reply.status >= 300) throw new Error(`simulator: ${reply.status} ${reply.body}`)
  }

  async #read<T>(path: string): Promise<T> {
    const { body } = await call(`${this.#url}/${path}`, { timeoutMs: 20_000 })
    return JSON.parse(body) as T
  }
}

/** Usually one; several where updates or events of a customer share an element. */
function marksOf({ requestId, customer, element }: RecordedElement): Arrived[] {
  const kind = KINDS[element.type]
  const last = element.attributes?.last
  return seqsOf(element).map((seq) => ({
    customer,
    seq,
    kind,
    last: kind === 'user' && typeof last === 'number' ? last : null,
    requestId,
  }))
}

/**
 * The numbers of the posted elements that this one stands for, in its order; -1 where it has none.
 * A number comes twice where an event is in there twice.
 */
function seqsOf({ type, attributes = {}, actions }: RecordedElement['element']): number[] {
  if (actions !== undefined) return copiesOf(actions)
  const marks =
    type === 'customer'
      ? Object.keys(attributes).flatMap((name) => /^seq_(\d+)$/.exec(name)?.[1] ?? [])
      : [attributes.seq ?? -1]
  return [...new Set(marks.map(Number))]
}

/** An event has each of its actions once: as often as one comes, as often is the event there. */
function copiesOf(actions: NonNullable<RecordedElement['element']['actions']>): number[] {
  const counts = new Map<number, Map<string, number>>()
  for (const { action, attributes } of actions) {
    const seq = attributes?.seq ?? -1
    const perName = counts.get(seq) ?? new Map<string, number>()
    counts.set(seq, perName.set(action, (perName.get(action) ?? 0) + 1))
  }
  return [...counts].flatMap(([seq, perName]) =>
    Array.from({ length: Math.max(...perName.values()) }, () => seq),
  )
}

const REQUEST_ID = /"request_id":"([^"]+)"/g
/** An answer may come in pieces: so many characters before a piece can belong to its name. */
const KEPT = 100

/** Which of MoEngage's answers were passed on to a worker's connection, seen on the way. */
export class Answers {
  readonly #passedAtMs = new Map<string, number>()

  /** When the name of an answer, which stands at its end, was passed on; undefined: never. */
  passedAtMs(requestId: string): number | undefined {
    return this.#passedAtMs.get(requestId)
  }

  /** Of one connection. */
  readonly watch = (): ((bytes: Buffer) => void) => {
    let tail = ''
    return (bytes) => {
      const text = tail + bytes.toString('latin1')
      for (const [, id = ''] of text.matchAll(REQUEST_ID)) {
        if (!this.#passedAtMs.has(id)) this.#passedAtMs.set(id, nowMs())
      }
      tail = text.slice(-KEPT)
    }
  }
}
