import type { Random } from '@relay/shared/random.js'
import type { Answer, BulkRequest, Sender } from '../../services/worker/src/send/answer.js'
import { between, chance, pick } from '@relay/shared/seeded-random.js'
import { Actor, type World } from './world.js'

/** How MoEngage behaves at present. */
export const MODES = ['slow', 'very slow', 'silent', '500', '429', 'flaky', 'refused'] as const
/** `strange`: every request is refused, with a type of error that says nothing about elements. */
export type Mode = (typeof MODES)[number] | 'ok' | 'strange'

/** One element as its producer counts it: the n-th of a customer. */
export interface Marked {
  readonly customer: string
  readonly n: number
}

export interface Limits {
  readonly users: number
  readonly events: number
}

/** What the simulated MoEngage reports; the oracle judges it. */
export interface VendorObserver {
  arrived(request: VendorRequest): void
  /** Its elements count, and it is charged. `accepted`: they took effect. */
  processed(request: VendorRequest, accepted: boolean): void
}

export interface VendorRequest {
  readonly id: number
  readonly worker: string
  readonly elements: readonly Marked[]
  readonly cost: Limits
  /** What each customer is charged, by `customer_id`. */
  readonly units: ReadonlyMap<string, number>
  /** The `project_code` of the request, and those of its elements; '': none. */
  readonly project: string
  readonly projects: ReadonlySet<string>
  readonly sentMs: number
  /** When relay gave it up; null: it has not. */
  closedMs: number | null
  /** When relay gives it up at the latest; a frozen worker does so too late. */
  deadlineMs: number
  isProcessed: boolean
  readonly isBad: boolean
  answer: (status: number) => void
}

/** How late a request may be processed after relay closed its connection, ms: relay's one assumption. */
export const GRACE_MS = 5_000
const DELAYS_MS: Partial<Record<Mode, readonly [number, number]>> = {
  slow: [500, 14_500],
  'very slow': [9_000, 14_900],
  silent: [500, 14_900],
}
const BUDGET_STATUSES = [429, 500, 502, 503]
const ERROR_TYPES = new Map([[400, 'ValueError'], [422, 'Strange'], [429, 'RateLimitExceeded']]) // prettier-ignore
const SUCCESS = JSON.stringify({ status: 'success', message: 'ok', request_id: 'r' })

/** MoEngage as far as relay depends on it. */
export class MoEngage {
  readonly actor: Actor
  mode: Mode = 'ok'
  requests = 0
  readonly #world: World
  readonly #random: Random
  readonly #observer: VendorObserver

  constructor(world: World, observer: VendorObserver) {
    this.#world = world
    this.#observer = observer
    this.#random = world.stream('moengage')
    this.actor = new Actor(world, 'moengage')
  }

  /** The last byte of a request has left the worker. */
  receive(worker: string, body: Buffer, project: string): VendorRequest {
    const content = readBody(body)
    const { elements } = content
    const request: VendorRequest = {
      ...{ id: ++this.requests, worker, project, ...content, sentMs: this.#world.nowMs },
      ...{ closedMs: null, deadlineMs: Infinity, isProcessed: false, answer: () => undefined },
    }
    const [first, last] = [elements[0], elements.at(-1)].map(nameOf)
    this.#world.log(
      `moengage receives ${request.id} of ${worker}${project && ` for ${project}`}: ${elements.length} [${first ?? ''} … ${last ?? ''}]`,
    )
    this.#observer.arrived(request)
    const delayMs = this.#delayMs()
    if (delayMs !== null) {
      this.#world.in(delayMs, this.actor, () => this.#process(request))
    }
    return request
  }

  /** When the request is processed; null: never. */
  #delayMs(): number | null {
    const [least, most] = DELAYS_MS[this.mode] ?? [15, 250]
    if (this.mode === 'silent' && chance(this.#random, 0.5)) return null
    return between(this.#random, least, most)
  }

  #process(request: VendorRequest): void {
    const { closedMs, id } = request
    if (this.#world.nowMs > lastMomentOf(request)) return
    const status = this.#status(request)
    const isAccepted = status === 200 || (status >= 500 && chance(this.#random, 0.3))
    request.isProcessed = true
    const note = closedMs === null ? '' : ', late'
    this.#world.log(`moengage answers ${id} ${status}${isAccepted ? ', processed' : ''}${note}`) // prettier-ignore
    if (status !== 429 || isAccepted) this.#observer.processed(request, isAccepted)
    if (closedMs === null) {
      this.#world.in(between(this.#random, 5, 60), this.actor, () => request.answer(status))
    }
  }

  #status({ isBad }: VendorRequest): number {
    if (this.mode === '429') return 429
    if (this.mode === '500') return 500
    if (this.mode === 'strange') return 422
    if (this.mode === 'flaky' && chance(this.#random, 0.3)) return pick(this.#random, BUDGET_STATUSES) // prettier-ignore
    return isBad ? 400 : 200
  }
}

function nameOf(element: Marked | undefined): string {
  return element === undefined ? '' : `${element.customer}-${element.n}`
}

/** When a request can still be processed, by relay's one assumption. */
export function lastMomentOf({ closedMs, deadlineMs }: VendorRequest): number {
  return Math.min(closedMs ?? Infinity, deadlineMs) + GRACE_MS
}

interface SentElement {
  readonly type: string
  readonly customer_id: string
  readonly actions?: readonly { readonly attributes: Readonly<Record<string, unknown>> }[]
  readonly attributes?: Readonly<Record<string, unknown>>
}

/** The elements of a body by their marks: an attribute `k<n>` with the customer's name and the project. */
function readBody(body: Buffer) {
  const { elements } = JSON.parse(body.toString()) as { elements: readonly SentElement[] }
  const marked: Marked[] = []
  const cost = { users: 0, events: 0 }
  const units = new Map<string, number>()
  const projects = new Set<string>()
  let isBad = false
  for (const { type, customer_id: id, actions = [], attributes } of elements) {
    units.set(id, (units.get(id) ?? 0) + (type === 'event' ? actions.length : 1))
    if (type === 'event') cost.events += actions.length
    else cost.users += 1
    for (const values of [...actions.map((action) => action.attributes), attributes ?? {}]) {
      const names = Object.entries(values)
      isBad ||= names.some(([name]) => name === 'bad')
      for (const [k, value] of names.filter(([name]) => name !== 'bad')) {
        const [customer = '', project = ''] = String(value).split('@')
        marked.push({ customer, n: Number(k.slice(1)) })
        projects.add(project)
      }
    }
  }
  return { elements: marked, cost, units, projects, isBad }
}

interface Exchange {
  request: VendorRequest | null
  readonly fail: (why: 'aborted' | 'timeout') => void
}

/** The sender of one worker under virtual time: what `HttpSender` promises, without HTTP. */
export class SimSender implements Sender {
  readonly #world: World
  readonly #actor: Actor
  readonly #vendor: MoEngage
  readonly #random: Random
  readonly #open = new Set<Exchange>()
  #isClosed = false

  constructor(world: World, actor: Actor, vendor: MoEngage) {
    this.#world = world
    this.#actor = actor
    this.#vendor = vendor
    this.#random = world.stream(`network/${actor.name}/${vendor.requests}`)
    actor.onKill.push(() => {
      for (const { request } of this.#open) this.#giveUp(request)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const { fail } of [...this.#open]) fail('aborted')
  }

  attempt(request: BulkRequest): Promise<Answer> {
    const startedMs = this.#actor.clock.monotonicMs()
    const timings = () => ({
      ...{ connectMs: null, totalMs: this.#actor.clock.monotonicMs() - startedMs },
    })
    const notSent = (why: 'closed' | 'aborted' | 'expired' | 'refused' | 'disallowed' | 'timeout') => ({ kind: 'not_sent' as const, why, timings: timings() }) // prettier-ignore
    if (this.#isClosed) return Promise.resolve(notSent('closed'))
    if (request.signal.aborted) return Promise.resolve(notSent('aborted'))
    if (startedMs >= request.deadlineMonotonicMs) return Promise.resolve(notSent('expired'))
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        if (!this.#open.delete(exchange)) return
        request.signal.removeEventListener('abort', abort)
        if (answer.kind !== 'response') this.#giveUp(exchange.request)
        resolve(answer)
      }
      const exchange: Exchange = {
        request: null,
        fail: (why) => {
          if (exchange.request === null) settle(notSent(why))
          else settle({ kind: 'unknown', why, timings: timings() })
        },
      }
      const abort = (): void => exchange.fail('aborted')
      this.#open.add(exchange)
      request.signal.addEventListener('abort', abort, { once: true })
      const deadline = this.#watchDeadline(request, exchange)
      const finish = (): void => {
        if (!this.#open.has(exchange)) return
        if (this.#vendor.mode === 'refused') settle(notSent('refused'))
        else if (!request.mayFinish()) settle(notSent('disallowed'))
        else if (this.#actor.clock.monotonicMs() >= deadline.ms) exchange.fail('timeout')
        else {
          const { projectCode = '' } = request
          exchange.request = this.#vendor.receive(this.#actor.name, request.body(), projectCode)
          exchange.request.deadlineMs = this.#worldMs(deadline.ms)
          exchange.request.answer = (status) => {
            this.#world.in(1, this.#actor, () => { settle(responseOf(status, timings())) }) // prettier-ignore
          }
          this.#world.reach('sent', this.#actor)
        }
      }
      this.#world.in(this.#connectMs(), this.#actor, () => {
        if (this.#world.reach('last byte', this.#actor)) this.#world.in(1, this.#actor, finish)
        else finish()
      })
    })
  }

  #worldMs(monotonicMs: number): number {
    return this.#world.nowMs + monotonicMs - this.#actor.clock.monotonicMs()
  }

  #connectMs(): number {
    return 0.3 + this.#random.next() * 20
  }

  /** Ends the exchange at its deadline, which a renewed lease may move. */
  #watchDeadline(request: BulkRequest, exchange: Exchange): { ms: number } {
    const deadline = { ms: request.deadlineMonotonicMs }
    const watch = (): void => {
      // At least a little: what is left may be too small to change the time.
      const leftMs = Math.max(0.01, deadline.ms - this.#actor.clock.monotonicMs())
      this.#world.in(leftMs, this.#actor, () => {
        if (!this.#open.has(exchange)) return
        deadline.ms = Math.max(deadline.ms, request.extendedTo?.() ?? -Infinity)
        if (exchange.request !== null) exchange.request.deadlineMs = this.#worldMs(deadline.ms)
        if (this.#actor.clock.monotonicMs() >= deadline.ms) exchange.fail('timeout')
        else watch()
      })
    }
    watch()
    return deadline
  }

  /** Its connection is reset; MoEngage may have read it, and process it a little later. */
  #giveUp(request: VendorRequest | null): void {
    if (request !== null) request.closedMs ??= this.#world.nowMs
  }
}

function responseOf(status: number, timings: Answer['timings']): Answer {
  const type = ERROR_TYPES.get(status) ?? 'ServerError'
  const error = JSON.stringify({ status: 'fail', error: { message: 'm', type, request_id: 'r' } })
  return {
    ...{ kind: 'response', status, headers: { retryAfter: null, date: null }, timings },
    ...{ truncated: false, requestComplete: true, body: status === 200 ? SUCCESS : error },
  }
}
