/*
 * The world around the worker's heart: a Redis that can be away, stores that keep what they are told in
 * memory, and a MoEngage that answers as a test wants. The parts of relay between them are the real ones.
 */
import { systemClock } from '@relay/shared/clock.js'
import { NO_COST, type Cost } from '@relay/shared/budget/cost.js'
import type {
  Grant,
  Ledger,
  LedgerUse,
  Recovery,
  Reservation,
} from '@relay/shared/budget/ledger.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { DeadLetter } from '@relay/shared/dead-letters/dead-letter.js'
import type { Erasure } from '@relay/shared/erasure/erasure.js'
import type { GateStore, StoredGate } from '@relay/shared/gate/gate-store.js'
import type { Gate, Mode } from '@relay/shared/gate/gate-state.js'
import type { Counted, CustomerUnits } from '@relay/shared/policy/customer-counts.js'
import type {
  PartlySettled,
  PartitionQueue,
  WaitingChunk,
} from '@relay/shared/queue/partition-queue.js'
import type { TraceWriter } from '@relay/shared/trace/trace-store.js'
import { batchOf, type Batch } from '../../src/batch/body.js'
import { Admission } from '../../src/budget/admission.js'
import { Reservations } from '../../src/budget/reservations.js'
import { WorkspaceGate } from '../../src/budget/workspace-gate.js'
import type { Budget, Delivery, Runtime } from '../../src/flight.js'
import { Shapes } from '../../src/batch/shape.js'
import type { AttemptReport, WorkerObserver } from '../../src/observe/observer.js'
import { Erasures } from '../../src/settle/erasures.js'
import type { PartitionWindow } from '../../src/fetch/window.js'
import { GaugeWatch } from '../../src/adaptive/gauge-watch.js'
import { AdaptiveLimits } from '../../src/adaptive/adaptive-limits.js'
import { InFlight } from '../../src/ownership/in-flight.js'
import { CustomerPolicy } from '../../src/policy/customer-policy.js'
import { Refusals } from '../../src/retry/refusals.js'
import type { Answer, BulkRequest, ResponseAnswer, Sender } from '../../src/send/answer.js'
import { MaxAge } from '../../src/settle/max-age.js'
import { Settler } from '../../src/settle/settler.js'
import { WakeUp } from '../../src/wake-up.js'
import { itemsOf } from './elements.js'
import { windowsOf, type PartitionSpec, type Spec } from './windows.js'

/** Whether commands are executed, and whether their replies arrive. */
export class FakeRedis {
  isAway = false
  /** Commands are executed, but the caller hears nothing. */
  losesReplies = false
  #atMs = 0
  #commands = 0

  async reply<T>(execute: () => T): Promise<T> {
    await Promise.resolve()
    await this.#endLoops()
    if (this.isAway) throw new Error('Redis is away')
    const result = execute()
    if (this.losesReplies) throw new Error('the reply was lost')
    return result
  }

  /** Never answers a loop that does not pause, so that its test fails instead of hanging. */
  #endLoops(): Promise<void> {
    const nowMs = systemClock.monotonicMs()
    this.#commands = nowMs === this.#atMs ? this.#commands + 1 : 0
    this.#atMs = nowMs
    return this.#commands > MAX_AT_ONCE ? new Promise(() => undefined) : Promise.resolve()
  }
}

/** Commands at one moment of the hand-wound clock: more are a loop that never pauses. */
const MAX_AT_ONCE = 2_000

/** The gate as gate.lua keeps it: changed by compare and set. */
export class FakeGateStore {
  stored: StoredGate = { version: '0', record: '' }
  writes = 0
  /** Called before each write: another worker may be faster. */
  beforeChange: () => void = () => undefined
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  get gate(): Gate {
    return JSON.parse(this.stored.record) as Gate
  }

  set(mode: Mode, paused = false): void {
    const version = String(Number(this.stored.version) + 1)
    this.stored = { version, record: JSON.stringify({ version: 1, mode, paused }) }
  }

  read = (): Promise<StoredGate> => this.#redis.reply(() => this.stored)

  change = (version: string, record: string): Promise<StoredGate & { changed: boolean }> =>
    this.#redis.reply(() => {
      this.writes += 1
      this.beforeChange()
      const changed = version === this.stored.version
      if (changed) this.stored = { version: String(Number(version) + 1), record }
      return { ...this.stored, changed }
    })
}

class FakeLearnedStore {
  readonly records: Record<string, string> = {}
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  read = () =>
    this.#redis.reply(() => ({
      ceiling: this.records.ceiling ?? null,
      adaptation: this.records.adaptation ?? null,
    }))

  change = (field: string, seen: string, next: string) =>
    this.#redis.reply(() => {
      const changed = (this.records[field] ?? '') === seen
      if (changed) this.records[field] = next
      return { changed, record: this.records[field] ?? '' }
    })
}

/** Grants everything but what `grants` says of the next questions. */
class FakeLedger implements Pick<Ledger, 'reserve' | 'answered' | 'refund' | 'use' | 'recover'> {
  readonly grants: Grant[] = []
  /** Once `grants` is used up. */
  grant: Grant = { outcome: 'granted' }
  inUse: Cost = NO_COST
  recoversInMs: number | null = null
  readonly reserved: Reservation[] = []
  readonly answers: string[] = []
  /** For how long each counts after its answer, or the lack of one. */
  readonly countsMs = new Map<string, number>()
  readonly refunds: string[] = []
  readonly recoveries: Recovery[] = []
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  reserve = (reservation: Reservation): Promise<Grant> =>
    this.#redis.reply(() => {
      this.reserved.push(reservation)
      return this.grants.shift() ?? this.grant
    })
  answered = (id: string, countsMs: number): Promise<void> =>
    this.#redis.reply(() => {
      this.answers.push(id)
      this.countsMs.set(id, countsMs)
    })
  refund = (id: string): Promise<void> => this.#redis.reply(() => void this.refunds.push(id))
  use = (): Promise<LedgerUse> =>
    this.#redis.reply(() => ({ used: this.inUse, granted: this.inUse, open: NO_COST }))
  recover = (recovery: Recovery): Promise<number | null> =>
    this.#redis.reply(() => {
      this.recoveries.push(recovery)
      return this.recoversInMs
    })
}

/** Counts of customers that are near MoEngage's policy. */
class FakeCounts {
  /** Customers that must wait. */
  readonly refused = new Set<string>()
  readonly settled: string[] = []
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  announce = (): Promise<void> => this.#redis.reply(() => undefined)
  again = (): Promise<void> => this.#redis.reply(() => undefined)
  reserve = (_limits: unknown, customers: readonly CustomerUnits[]): Promise<Counted> =>
    this.#redis.reply(() => {
      const refused = customers
        .filter(({ customer }) => this.refused.has(customer))
        .map(({ customer }) => ({ customer, freeUnits: 0, waitMs: 5_000 }))
      return refused.length === 0
        ? { outcome: 'granted', untilMs: 1 }
        : { outcome: 'refused', refused }
    })
  settle = (how: 'answer' | 'refund'): Promise<void> =>
    this.#redis.reply(() => void this.settled.push(how))
}

class FakeLetters {
  readonly all: DeadLetter[] = []
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  add = (letters: readonly DeadLetter[]): Promise<void> =>
    this.#redis.reply(() => void this.all.push(...letters))
}

class FakeErasures {
  records: Erasure[] = []
  readonly confirmed: string[] = []
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis) {
    this.#redis = redis
  }

  enforced = (): Promise<Erasure[]> => this.#redis.reply(() => [...this.records])
  confirm = (ids: readonly string[]): Promise<void> =>
    this.#redis.reply(() => void this.confirmed.push(...ids))

  /** Erases everything of a customer that `tag` holds now. */
  add(tag: string, customer: string): void {
    const [appId = ''] = tag.split('/')
    const hex = Buffer.from(customer, 'latin1').toString('hex')
    const id = `erasure ${this.records.length}`
    this.records.push({ id, appId, customer: hex, boundary: { [tag]: 1e9 }, doneAtMs: null })
  }
}

/** A partition as its scripts keep it: the waiting chunks, and whose it is. */
export class FakeQueue {
  readonly tag: string
  chunks: WaitingChunk[] = []
  claimed = ''
  lastSettle = ''
  unreadable: number | null = null
  readonly settles: { finished: readonly string[]; partly: readonly PartlySettled[] }[] = []
  peeks = 0
  watched = false
  /** Called before each command is executed. */
  before: (command: string) => void = () => undefined
  readonly #redis: FakeRedis

  constructor(redis: FakeRedis, tag: string) {
    this.#redis = redis
    this.tag = tag
  }

  get asQueue(): PartitionQueue {
    return this as unknown as PartitionQueue
  }

  peek = (skip: number, most: number, bytes: number, watch: boolean) =>
    this.#execute('peek', () => {
      this.peeks += 1
      const chunks: WaitingChunk[] = []
      let total = 0
      for (const chunk of this.chunks.slice(skip, skip + most)) {
        total += chunk.bytes
        if (total > bytes && chunks.length > 0) break
        chunks.push(chunk)
      }
      this.watched = watch
      return { waiting: this.chunks.length, chunks, unreadable: this.unreadable }
    })

  settle = (
    { claim, id: settle, after }: Parameters<PartitionQueue['settle']>[0],
    finished: readonly string[],
    partly: readonly PartlySettled[],
  ) =>
    this.#execute('settle', () => {
      if (claim !== this.claimed) return { outcome: 'fenced' as const }
      if (after !== null && ![after, settle].includes(this.lastSettle))
        return { outcome: 'forgotten' as const }
      this.lastSettle = settle
      this.settles.push({ finished, partly })
      this.chunks = this.chunks.filter(({ id }) => !finished.includes(id))
      return { outcome: 'settled' as const, waiting: this.chunks.length }
    })

  owner = () => this.#execute('owner', () => this.claimed)
  waiting = () => this.#execute('waiting', () => this.chunks.length)
  deactivate = () => this.#execute('deactivate', () => this.chunks.length === 0)

  claim = (seen: string, claim: string) =>
    this.#execute('claim', () => {
      const claimed = this.claimed === seen
      if (claimed) this.claimed = claim
      return { claimed, owner: this.claimed, lastSettle: this.lastSettle }
    })

  release = (claim: string) =>
    this.#execute('release', () => {
      const released = this.claimed === claim
      if (released) this.claimed = ''
      return released
    })

  #execute<T>(command: string, execute: () => T): Promise<T> {
    return this.#redis.reply(() => {
      this.before(command)
      return execute()
    })
  }
}

/** MoEngage: `answer` decides about each request; without it they stay unanswered until `reply`. */
export class FakeSender implements Sender {
  readonly requests: BulkRequest[] = []
  readonly bodies: string[] = []
  isClosed = false
  answer: ((body: string, request: BulkRequest) => Answer | Promise<Answer>) | null = accept
  readonly #open: ((answer: Answer) => void)[] = []

  attempt(request: BulkRequest): Promise<Answer> {
    const body = request.body().toString()
    this.requests.push(request)
    this.bodies.push(body)
    if (this.answer !== null) return Promise.resolve(this.answer(body, request))
    return new Promise((resolve) => this.#open.push(resolve))
  }

  /** Answers the oldest request without an answer. */
  async reply(answer: Answer): Promise<void> {
    this.#open.shift()?.(answer)
    await turn()
  }

  get openRequests(): number {
    return this.#open.length
  }

  close(): void {
    this.isClosed = true
  }
}

const timings = { connectMs: null, totalMs: 1 }

export function response(
  status: number,
  body: unknown = {},
  headers: Partial<ResponseAnswer['headers']> = {},
): Answer {
  return {
    ...{ kind: 'response', status, timings, truncated: false, requestComplete: true },
    headers: { retryAfter: null, date: null, ...headers },
    body: JSON.stringify(body),
  }
}

export const accept = (): Answer => response(200, { status: 'success', request_id: 'm1' })

/** MoEngage's envelope of a refusal. */
export function refusal(status: number, type: string, attribute: string | null = null): Answer {
  return response(status, { status: 'fail', error: { type, message: 'wrong', attribute } })
}

export const notSent = (why: Extract<Answer, { kind: 'not_sent' }>['why']): Answer => {
  return { kind: 'not_sent', why, timings }
}

export const noAnswer = (why: Extract<Answer, { kind: 'unknown' }>['why']): Answer => {
  return { kind: 'unknown', why, timings }
}

/** Everything that was reported, in order. */
class FakeObserver implements WorkerObserver {
  readonly reports: AttemptReport[] = []
  readonly lines: string[] = []

  attempted(report: AttemptReport): void {
    this.reports.push(report)
    this.lines.push(`attempted ${report.outcome.outcome}`)
  }
  delivered(_appId: string, _lane: string, { items }: { items: readonly unknown[] }): void {
    this.lines.push(`delivered ${items.length}`)
  }
  advertised(_appId: string, limit: number): void {
    this.lines.push(`advertised ${limit}`)
  }
  customerHeld(_appId: string, customer: string): void {
    this.lines.push(`held ${customer}`)
  }
  deadLettered(_appId: string, kind: string, reason: string): void {
    this.lines.push(`dead-lettered ${kind} ${reason}`)
  }
  shadowed(_appId: string, { items }: { items: readonly unknown[] }): void {
    this.lines.push(`shadowed ${items.length}`)
  }
  possiblyDuplicated(_appId: string, elements: number): void {
    this.lines.push(`possibly duplicated ${elements}`)
  }
}

export function workspaceOf(given: Partial<Workspace> = {}): Workspace {
  return {
    appId: 'APP',
    apiKey: 'key',
    baseUrl: 'http://moengage.example',
    limits: {
      usersPerWindow: 1_000,
      eventsPerWindow: 1_000,
      devicesPerWindow: null,
      maxBodyBytes: 10_000,
    },
    producers: null,
    quotas: new Map(),
    mode: 'live',
    shadowed: 'drop',
    ...given,
  }
}

export const LINGER_MS = 100
export const WINDOW_MS = 60_000
export const TIMEOUT_MS = 10_000
export const GRACE_MS = 5_000

/** An event of this customer. */
export function event(customer: number, given: Partial<Spec> = {}): Spec {
  return { customer, kind: 'event', bytes: 20, cost: 1, ...given }
}

/** One worker's parts for one workspace, wired as the worker wires them. */
export class Heart {
  readonly redis = new FakeRedis()
  readonly gates = new FakeGateStore(this.redis)
  readonly learnedStore = new FakeLearnedStore(this.redis)
  readonly ledger = new FakeLedger(this.redis)
  readonly counts = new FakeCounts(this.redis)
  readonly letters = new FakeLetters(this.redis)
  readonly erasureStore = new FakeErasures(this.redis)
  readonly queues = new Map<string, FakeQueue>()
  readonly sender = new FakeSender()
  readonly observer = new FakeObserver()
  /** Elements of each traced bulk request. */
  readonly traced: string[] = []
  readonly abort = new AbortController()
  readonly inFlight = new InFlight(systemClock, GRACE_MS)
  readonly refusals = new Refusals(systemClock)
  readonly reservations = new Reservations(systemClock)
  workspace = workspaceOf()
  sendableMs = 60_000
  isStopping = false
  maxAgeMs: number | null = null
  recovers: () => Promise<number> = () => Promise.resolve(100)
  onWake: () => void = () => undefined
  readonly #pauses = new Set<WakeUp>()

  readonly erasures = new Erasures({
    ...{ store: this.erasureStore, worker: 'w', clock: systemClock },
    onNew: () => this.wake(),
  })
  readonly settler = new Settler({
    queueOf: ({ tag }) => this.queues.get(tag)?.asQueue,
    present: () => undefined,
    lateMs: ({ tag }) => this.inFlight.lateMs(tag),
    sleep,
    onFenced: (window) => {
      window.lost = true
    },
  })
  readonly learned = new AdaptiveLimits({
    store: this.learnedStore,
    limits: () => this.workspace.limits,
    windowMs: WINDOW_MS,
    nowMs: () => systemClock.nowMs(),
    onTrialEnded: () => this.wake(),
  })
  readonly gate = new WorkspaceGate({
    store: this.gates as unknown as GateStore,
    random: { next: () => 0, bytes: (length) => Buffer.alloc(length) },
    nowMs: () => systemClock.nowMs(),
    onChange: () => this.wake(),
  })
  readonly gauge = new GaugeWatch({
    limits: () => this.workspace.limits,
    windowMs: WINDOW_MS,
    monotonicMs: () => systemClock.monotonicMs(),
    use: () => this.ledger.use(),
    onAdvertised: (limit) => this.observer.advertised('APP', limit),
  })
  readonly policy = new CustomerPolicy({
    counts: this.counts,
    // Every customer is counted exactly.
    limits: () => this.workspace.customerLimits ?? [],
    clock: systemClock,
    ...{ runId: () => 'run', workers: () => 1, openMs: 1, newId: counting('sketch') },
    onHeld: (customer) => this.observer.customerHeld('APP', customer),
  })
  readonly admission = new Admission({
    ledger: this.ledger as unknown as Ledger,
    ...{ gate: this.gate, learned: this.learned, reservations: this.reservations },
    clock: systemClock,
    workspace: () => this.workspace,
    ...{ windowMs: WINDOW_MS, requestTimeoutMs: TIMEOUT_MS, arrivalGraceMs: GRACE_MS },
    ...{ backfillFloor: 0.1, runId: () => 'run', newId: counting('r'), waiter: 'w' },
    recover: () => this.recovers(),
  })

  get maxAge(): MaxAge {
    return new MaxAge({
      ...{ maxAgeMs: this.maxAgeMs, clock: systemClock, redisNowMs: () => systemClock.nowMs() },
      ...{ deadLetters: this.letters, settler: this.settler, erasures: this.erasures },
      onExpired: ({ element }) => this.observer.deadLettered('APP', element.kind, 'expired'),
    })
  }

  get budget(): Budget {
    const { admission, gate, learned, policy } = this
    return { admission, gate, learned, policy }
  }

  get delivery(): Delivery {
    const { refusals, gauge, settler, letters: deadLetters, maxAge, erasures } = this
    return { refusals, gauge, settler, deadLetters, maxAge, erasures, sender: () => this.sender }
  }

  readonly shapes = new Shapes([])
  coalesces = true
  readonly trace: TraceWriter = {
    sent: (_appId, shares, bulkId) => {
      const count = [...shares].reduce((sum, { elements }) => sum + elements, 0)
      this.traced.push(`${bulkId} ${count}`)
    },
    shadowed: () => undefined,
  }

  readonly runtime: Runtime = {
    config: {
      ...{ lingerMs: LINGER_MS, budgetWindowMs: WINDOW_MS, requestTimeoutMs: TIMEOUT_MS },
      arrivalGraceMs: GRACE_MS,
    },
    workspace: () => this.workspace,
    shapes: () => (this.coalesces ? this.shapes : null),
    ...{ clock: systemClock, observer: this.observer, trace: this.trace, sleep },
    redisNowMs: () => systemClock.nowMs(),
    sendableMs: () => this.sendableMs,
    newId: counting('probe'),
    signal: this.abort.signal,
    stopping: () => this.isStopping,
  }

  /** Partitions that this worker owns, with these chunks, all of them loaded. */
  owned(...specs: readonly PartitionSpec[]): PartitionWindow[] {
    const windows = windowsOf(specs)
    for (const window of windows) {
      const queue = new FakeQueue(this.redis, window.tag)
      queue.claimed = window.claim
      queue.chunks = window.chunks.map(({ id, jsonBytes, elements }) => {
        return { id, bytes: jsonBytes, elements, done: Buffer.alloc(0) }
      })
      this.queues.set(window.tag, queue)
    }
    return windows
  }

  /** One request with all that one partition holds. */
  batchOf(...chunk: readonly Spec[]): Batch {
    const [window] = this.owned([chunk])
    return batchOf(itemsOf(window!), this.workspace.limits, null)
  }

  /** Takes a place in the budgets. */
  async ticketFor({ cost }: Batch, given: { cost?: Cost; probeId?: string } = {}) {
    const asked = { lane: 'realtime', cost, need: cost, oldestMs: 0, queue: true } as const
    const admitted = await this.admission.ask(asked)
    if (admitted.outcome !== 'granted') throw new Error('the ledger grants everything')
    return { ...admitted, cost, probeId: null, ...given }
  }

  /** Pauses until `wake`, or for `ms`. */
  readonly pause = async (ms: number): Promise<void> => {
    const wakeUp = new WakeUp()
    this.#pauses.add(wakeUp)
    await wakeUp.wait(ms)
    this.#pauses.delete(wakeUp)
  }

  wake(): void {
    for (const wakeUp of this.#pauses) wakeUp.raise()
    this.onWake()
  }

  /** Elements that wait in Redis, by the text that marks each. */
  get waiting(): string[] {
    return [...this.queues.values()].flatMap(({ chunks }) => chunks.map(({ id }) => id))
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The elements of a body: customer and number of each. */
export function sentIn(body: string): string[] {
  const { elements } = JSON.parse(body) as { elements: { p: number; c: number; n: number }[] }
  return elements.map(({ c, n }) => `${c}:${n}`)
}

/** The customer of `windowsOf` with this number in the first partition. */
export const customer = (n: number): string => `0-${n}`

/** Ids in order: `a1`, `a2` … */
function counting(prefix: string): () => string {
  let n = 0
  return () => `${prefix}${(n += 1)}`
}

export { systemClock as clock }

/** Lets everything that is ready run. */
export async function turn(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0)
}

/** Lets `ms` pass. */
export async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms)
}
