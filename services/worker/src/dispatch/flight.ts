import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type {
  DeadLetter,
  DeadLetterReason,
  DeadLetterSink,
} from '@relay/shared/dead-letters/dead-letter.js'
import type { Lane } from '@relay/shared/element.js'
import type { RequestShare } from '@relay/shared/trace/trace-entry.js'
import type { TraceWriter } from '@relay/shared/trace/trace-store.js'
import { batchOf, writeBody, type Batch } from '../batch/pack.js'
import { splitForProbe } from '../batch/probe.js'
import type { Admission, Admitted } from '../budget/admission.js'
import type { WorkspaceGate } from '../budget/workspace-gate.js'
import { classify } from '../classify/classify.js'
import type { Outcome, VendorError } from '../classify/outcome.js'
import type { Item, PartitionWindow } from '../fetch/window.js'
import { decide } from '../retry/decide.js'
import type { Sender } from '../send/answer.js'
import type { Settler } from '../settle/settler.js'
import type { WorkerObserver } from './observer.js'

/** A place in the budgets, and the probe that it may be. */
export interface Ticket {
  readonly id: string
  readonly deadlineMs: number
  readonly probeId: string | null
}

export interface FlightContext {
  readonly lane: Lane
  readonly workspace: () => Workspace
  readonly admission: Admission
  readonly gate: WorkspaceGate
  readonly sender: () => Sender
  readonly settler: Settler
  readonly deadLetters: DeadLetterSink
  readonly observer: WorkerObserver
  readonly trace: TraceWriter
  readonly clock: Clock
  /** How long the worker's lease certainly holds, ms. */
  readonly leaseLeftMs: () => number
  /** Resolves after `ms`, or sooner when the gate, the budgets or the session changed. */
  readonly pause: (ms: number) => Promise<void>
  readonly sleep: (ms: number) => Promise<void>
  readonly signal: AbortSignal
  readonly newId: () => string
  readonly requestTimeoutMs: number
}

/** An attempt is not begun with less than this left of the lease, ms. */
const SHORTEST_ATTEMPT_MS = 100
/** Longest wait before looking at the gate again, ms. */
const LOOK_AGAIN_MS = 1_000
/** Redis did not answer; pause before the next try, ms. */
const REDIS_AWAY_MS = 250

/**
 * One batch on its way until every element of it is delivered, dead-lettered, or somebody else's.
 * What is sent again is sent in the same order; splitting makes smaller batches that follow one
 * another, so no element ever overtakes an older one of its customer.
 */
export class Flight {
  readonly #c: FlightContext
  #todo: Batch[]
  #attempts = 0

  constructor(context: FlightContext, batch: Batch) {
    this.#c = context
    this.#todo = [batch]
  }

  /** `first`: the place in the budgets that was already granted, if any. */
  async run(first: Ticket | null): Promise<void> {
    let ticket = first ?? (await this.#nextTicket())
    while (ticket !== null) {
      const [batch, ...rest] = this.#todo
      if (batch === undefined) return
      const { outcome, sent } = await this.#attempt(batch, ticket)
      this.#todo = [...(await this.#resolve(batch, outcome, ticket, sent)), ...rest]
      this.#dropLost()
      ticket = this.#todo.length > 0 ? await this.#nextTicket() : null
    }
  }

  async #attempt(batch: Batch, { id, deadlineMs, probeId }: Ticket) {
    const { clock, leaseLeftMs, sender, signal, admission } = this.#c
    const deadlineMonotonicMs = Math.min(deadlineMs, clock.monotonicMs() + leaseLeftMs())
    this.#attempts += 1
    const answer = await sender().attempt({
      body: writeBody(batch),
      deadlineMonotonicMs,
      mayFinish: () => leaseLeftMs() > 0 && !batch.items.some(({ window }) => window.lost),
      signal,
    })
    const outcome = classify(answer, clock.nowMs())
    const neverLeft = answer.kind === 'not_sent' && answer.timings.connectMs === null
    if (answer.kind === 'response') await admission.answered(id)
    else if (neverLeft && NEVER_LEFT.has(answer.why)) await admission.refund(id)
    this.#c.observer.attempted({
      appId: this.#c.workspace().appId,
      lane: this.#c.lane,
      attemptId: id,
      probe: probeId !== null,
      batch,
      answer,
      outcome,
    })
    return { outcome, sent: answer.kind !== 'not_sent' }
  }

  /** Acts on an outcome; returns what of the batch is still to be sent, in order. */
  async #resolve(batch: Batch, outcome: Outcome, ticket: Ticket, sent: boolean): Promise<Batch[]> {
    const answeredAtMs = this.#c.clock.nowMs()
    const { decision, event } = decide(outcome, ticket.probeId)
    const gateChange =
      event === null ? null : this.#untilRedisAnswers(() => this.#c.gate.apply(event))
    const left = await this.#carryOut(decision.do, batch, outcome, ticket.id, answeredAtMs)
    await gateChange
    if (decision.do === 'retry' && sent && mayHaveArrived(outcome)) {
      this.#c.observer.possiblyDuplicated(this.#c.workspace().appId, batch.items.length)
    }
    return left
  }

  async #carryOut(
    what: 'settle' | 'retry' | 'isolate' | 'shrink',
    batch: Batch,
    outcome: Outcome,
    attemptId: string,
    answeredAtMs: number,
  ): Promise<Batch[]> {
    switch (what) {
      case 'settle':
        await this.#c.settler.settle(batch.items)
        this.#c.observer.delivered(this.#c.workspace().appId, this.#c.lane, batch, answeredAtMs)
        this.#c.trace.sent(this.#c.workspace().appId, sharesOf(batch), attemptId, answeredAtMs)
        return []
      case 'retry':
        return [batch]
      case 'isolate':
      case 'shrink': {
        if (batch.items.length > 1) return this.#halve(batch)
        await this.#bury(batch.items, outcome)
        return []
      }
    }
  }

  #halve({ items }: Batch): Batch[] {
    const middle = Math.ceil(items.length / 2)
    const { limits } = this.#c.workspace()
    return [batchOf(items.slice(0, middle), limits), batchOf(items.slice(middle), limits)]
  }

  /** Dead letters first, then out of the queue: a crash between the two repeats the first. */
  async #bury(items: readonly Item[], outcome: Outcome): Promise<void> {
    const { appId } = this.#c.workspace()
    const letters = items.map((item) => this.#letter(item, outcome))
    await this.#untilRedisAnswers(() => this.#c.deadLetters.bury(letters))
    await this.#c.settler.settle(items)
    for (const { kind, reason, posted } of letters) {
      this.#c.observer.deadLettered(appId, kind, reason, posted)
    }
  }

  #letter({ window, chunk, index, element }: Item, outcome: Outcome): DeadLetter {
    const error: VendorError | null = 'error' in outcome ? outcome.error : null
    return {
      id: `${window.tag}/${chunk.id}/${String(index)}`.replaceAll('/', '.'),
      appId: window.partition.appId,
      lane: window.partition.lane,
      kind: element.kind,
      customer: Buffer.from(element.customer, 'latin1').toString('hex'),
      element: element.json.toString('utf8'),
      cost: element.cost,
      posted: element.posted,
      reason: reasonOf(outcome),
      answer: {
        status: error?.status ?? 0,
        type: error?.type ?? '',
        message: error?.message ?? '',
        attribute: error?.attribute ?? null,
      },
      attempts: this.#attempts,
      requestId: element.provenance.requestId,
      acceptedAtMs: element.provenance.acceptedAtMs,
      deadAtMs: this.#c.clock.nowMs(),
    }
  }

  /** Waits until the next batch may be sent; null when nothing is left to send. */
  async #nextTicket(): Promise<Ticket | null> {
    let probeId: string | null = null
    for (;;) {
      this.#dropLost()
      const batch = this.#todo[0]
      if (batch === undefined || this.#c.signal.aborted) {
        if (probeId !== null) await this.#giveProbeBack(probeId)
        return null
      }
      probeId = await this.#passGate(probeId)
      if (probeId === WAIT) {
        probeId = null
        continue
      }
      const ask = await this.#ask(this.#todo[0] ?? batch)
      if (ask.outcome === 'granted') return { id: ask.id, deadlineMs: ask.deadlineMs, probeId }
      await this.#c.pause(ask.waitMs)
    }
  }

  /** The id of the probe that this flight is; null: no probe needed; WAIT: it waited, look again. */
  async #passGate(probeId: string | null): Promise<string | null> {
    const { gate, leaseLeftMs, pause, newId, requestTimeoutMs } = this.#c
    if (leaseLeftMs() < SHORTEST_ATTEMPT_MS) {
      await pause(SHORTEST_ATTEMPT_MS)
      return WAIT
    }
    if (probeId !== null && gate.isProbe(probeId)) return probeId
    const may = gate.mayStart()
    if (!may.go) {
      await pause(Math.min(may.waitMs, LOOK_AGAIN_MS))
      return WAIT
    }
    if (!may.probe) return null
    const held = gate.gate.mode.state === 'held'
    const id = newId()
    const won = await gate.startProbe(id, requestTimeoutMs + LOOK_AGAIN_MS).catch(() => false)
    if (!won) return WAIT
    if (held) this.#makeProbeSmall()
    return id
  }

  #makeProbeSmall(): void {
    const [batch, ...rest] = this.#todo
    if (!batch) return
    const parts = splitForProbe(batch.items)
    this.#todo = [...parts.map((items) => batchOf(items, this.#c.workspace().limits)), ...rest]
  }

  #ask(batch: Batch): Promise<Admitted> {
    return this.#c.admission.ask({
      lane: this.#c.lane,
      cost: batch.cost,
      need: batch.cost,
      oldestMs: batch.items[0]?.element.provenance.acceptedAtMs ?? 0,
      queue: true,
    })
  }

  #giveProbeBack(probeId: string): Promise<void> {
    return this.#c.gate.apply({ type: 'probe_released', probeId }).catch(() => undefined)
  }

  /** Forgets what another worker owns now; it sends those elements again. */
  #dropLost(): void {
    if (!this.#todo.some((batch) => batch.items.some(isLost))) return
    this.#todo = this.#todo
      .map((batch) =>
        batchOf(
          batch.items.filter((i) => !isLost(i)),
          this.#c.workspace().limits,
        ),
      )
      .filter((batch) => batch.items.length > 0)
  }

  async #untilRedisAnswers(act: () => Promise<void>): Promise<void> {
    while (!this.#c.signal.aborted) {
      const done = await act().then(
        () => true,
        () => false,
      )
      if (done) return
      await this.#c.sleep(REDIS_AWAY_MS)
    }
  }
}

const WAIT = ''

/** Faults before a connection was up: nothing of the attempt left this process. */
const NEVER_LEFT: ReadonlySet<string> = new Set(['refused', 'unresolvable', 'unreachable', 'busy'])

function* sharesOf({ items }: Batch): Generator<RequestShare> {
  for (const { element } of items) {
    yield { requestId: element.provenance.requestId, elements: element.posted }
  }
}

function isLost({ window }: { window: PartitionWindow }): boolean {
  return window.lost
}

function mayHaveArrived(outcome: Outcome): boolean {
  return 'mayHaveArrived' in outcome && outcome.mayHaveArrived
}

function reasonOf(outcome: Outcome): DeadLetterReason {
  switch (outcome.outcome) {
    case 'undecodable':
    case 'too_large':
      return outcome.outcome
    default:
      return 'element_refused'
  }
}
