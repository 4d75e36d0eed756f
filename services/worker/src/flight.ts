/*
 * One batch on its way until every element of it is delivered, dead-lettered, or somebody else's. Its
 * requests follow one another, so no element ever overtakes an older one of its customer.
 *
 *   waiting ──lease, gate and budgets allow a request──▶ granted
 *   granted ──nothing of it may be sent any more──▶ waiting
 *   granted ──sent──▶ answered ──classified, decided──▶ decided ──settled──▶ waiting
 *   waiting ──nothing left, everything refused, or the worker stops──▶ done
 *
 * `pipeline.ts` drives it. While the gate is closed, a waiting flight tries to become the one probe; one that
 * ends without sending gives the probe back.
 */
import { exceeds, type Cost } from '@relay/shared/budget/cost.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { DeadLetterSink } from '@relay/shared/dead-letters/dead-letter.js'
import type { Lane } from '@relay/shared/element.js'
import { unexplainedHold, type Mode } from '@relay/shared/gate/gate-state.js'
import type { GateEvent } from '@relay/shared/gate/gate.js'
import { bulkNames } from '@relay/shared/trace/trace-entry.js'
import type { TraceWriter } from '@relay/shared/trace/trace-store.js'
import { oldestMsOf, sharesOf, writeBody, type Batch } from './batch/body.js'
import type { Shapes } from './batch/shape.js'
import { REDIS_RETRY_DELAY_MS, type Admission } from './budget/admission.js'
import type { WorkspaceGate } from './budget/workspace-gate.js'
import { classify } from './classify/classify.js'
import type { Outcome } from './classify/outcome.js'
import { gaugeOf } from './classify/rate-gauge.js'
import type { Item } from './fetch/window.js'
import type { GaugeWatch } from './adaptive/gauge-watch.js'
import type { AdaptiveLimits } from './adaptive/adaptive-limits.js'
import type { WorkerObserver } from './observe/observer.js'
import type { Open } from './ownership/in-flight.js'
import type { CustomerPolicy } from './policy/customer-policy.js'
import { gateEventOf } from './retry/gate-event.js'
import { Late } from './retry/late.js'
import { Judge, NOTHING_FOUND, type Begun, type Judgement } from './retry/judge.js'
import { DeliveryPlan } from './retry/delivery-plan.js'
import type { Refusals } from './retry/refusals.js'
import type { Answer, Sender } from './send/answer.js'
import { deadLetterOf } from './settle/dead-letter.js'
import type { Erasures, InHand } from './settle/erasures.js'
import type { MaxAge } from './settle/max-age.js'
import type { Settler } from './settle/settler.js'

/** Whether, when and how much may be sent. */
export interface Budget {
  readonly admission: Admission
  readonly gate: WorkspaceGate
  readonly learned: AdaptiveLimits
  readonly policy: CustomerPolicy
}

/** Sends elements, judges the answers, and takes the elements out of their partitions. */
export interface Delivery {
  readonly sender: () => Sender
  readonly refusals: Refusals
  readonly gauge: GaugeWatch
  readonly settler: Settler
  readonly deadLetters: DeadLetterSink
  readonly maxAge: MaxAge
  readonly erasures: Erasures
}

/** The process and the workspace that requests are sent for. */
export interface Runtime {
  readonly config: Pick<
    Config,
    'lingerMs' | 'budgetWindowMs' | 'requestTimeoutMs' | 'arrivalGraceMs'
  >
  readonly workspace: () => Workspace
  /** By which adjacent elements of a customer share one element of a request; null: none do. */
  readonly shapes: () => Shapes | null
  readonly clock: Clock
  /** Redis' time, ms since 1970. */
  readonly redisNowMs: () => number
  /** Time for which the worker's lease certainly allows open requests, ms. */
  readonly sendableMs: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly newId: () => string
  /** Aborted when requests in flight must end. */
  readonly signal: AbortSignal
  /** The worker is shutting down: it starts no further requests. */
  readonly stopping: () => boolean
  readonly observer: WorkerObserver
  readonly trace: TraceWriter
}

/** A place in the budgets, and the probe that it may be. */
export interface Ticket {
  readonly id: string
  /** The granted cost. */
  readonly cost: Cost
  readonly deadlineMs: number
  readonly probeId: string | null
}

/** A batch to be sent; an erasure of its elements is confirmed after `end`. */
export interface Taken extends InHand {
  readonly batch: Batch
}

/** A request that was sent, and MoEngage's answer or its absence. */
export interface Attempt extends Begun {
  readonly ticket: Ticket
  readonly answer: Answer
  /** Redis' time when it was begun, ms. */
  readonly sentAtMs: number
}

/** What an outcome leads to. */
export interface Decision {
  readonly outcome: Outcome
  /** The element found to be at fault. */
  readonly atFault: Item | null
  readonly event: GateEvent | null
  /** After a 429: the largest share of a budget that relay used. */
  readonly usedShare: number
  /** Before the next attempt, ms. */
  readonly pauseMs: number
}

/** An attempt is not begun with less than this left of the lease, ms. */
const SHORTEST_ATTEMPT_MS = 100
/** The first probes wait no longer than this for their answer, ms. */
const PROBE_TIMEOUT_MS = 5_000
/** Retries before the whole request timeout is tried again. */
const SHORT_RETRIES = 3
/** Longest wait before looking at the gate again, ms. */
const LOOK_AGAIN_MS = 1_000
/** A flight that has only elements that were refused alone leaves the probe to others for so long, ms. */
const YIELD_PROBE_MS = 500
/** Within this other flights may have an answer, ms. */
const OTHERS_MS = 300
/** Faults before a connection was up: nothing of the attempt left this process. */
const NEVER_LEFT: ReadonlySet<string> = new Set(['refused', 'unresolvable', 'unreachable', 'busy'])

export interface FlightOptions {
  readonly lane: Lane
  readonly budget: Budget
  readonly delivery: Delivery
  readonly runtime: Runtime
}

export class Flight {
  readonly #lane: Lane
  readonly #budget: Budget
  readonly #delivery: Delivery
  readonly #runtime: Runtime
  readonly #pause: (ms: number) => Promise<void>
  readonly #plan: DeliveryPlan
  readonly #judge: Judge
  readonly #open: Open
  readonly #late: Late
  #attempts = 0
  /** The workspace is held: another flight tries, with all that was accepted meanwhile. */
  #isOver = false
  /** When the probe was due that was left to others, ms. */
  #yieldedProbeMs: number | null = null

  /** `pause` resolves after so many ms, or sooner when the gate, the budgets or the session changed. */
  constructor(
    { lane, budget, delivery, runtime }: FlightOptions,
    pause: (ms: number) => Promise<void>,
    batch: Batch,
    open: Open,
  ) {
    this.#lane = lane
    this.#budget = budget
    this.#delivery = delivery
    this.#runtime = runtime
    this.#pause = pause
    this.#late = new Late(this.#runtime.clock, this.#runtime.config.arrivalGraceMs)
    this.#open = open
    this.#plan = new DeliveryPlan(batch, () => runtime.workspace().limits)
    this.#judge = new Judge(this.#plan, delivery.refusals, runtime.clock)
  }

  /** Waits until the next request may be sent; null when nothing is left to send. */
  async reserve(): Promise<Ticket | null> {
    const { learned, admission } = this.#budget
    const { signal, stopping } = this.#runtime
    // Released while waiting at the gate, because the prober may be waiting for the trial.
    learned.endTrial(this)
    let probeId: string | null = null
    for (;;) {
      await this.#expire()
      const batch = this.#next()
      if (batch === null || this.#isOver || signal.aborted || stopping()) {
        if (probeId !== null) await this.#giveProbeBack(probeId)
        return null
      }
      const pass = await this.#passGate(probeId)
      probeId = pass.probeId
      if (!pass.go) continue
      this.#plan.splitToBytes(learned.bodyBytes)
      this.#plan.splitToCost(admission.perRequest())
      const next = this.#plan.next() ?? batch
      if (!this.#mayTry(next)) {
        await this.#pause(LOOK_AGAIN_MS)
        continue
      }
      const lateMs = this.#late.waitMs(next.items)
      if (lateMs > 0) {
        await this.#pause(Math.min(lateMs, LOOK_AGAIN_MS))
        continue
      }
      const ask = await this.#ask(next)
      if (ask.outcome === 'granted') {
        const deadlineMs = this.#probeDeadlineMs(ask.deadlineMs, probeId)
        return { id: ask.id, cost: next.cost, deadlineMs, probeId }
      }
      learned.endTrial(this)
      if (ask.waitMs > 0) await this.#pause(ask.waitMs)
    }
  }

  /** Takes the batch to send under a ticket; null when a change prevents it, and the ticket was returned. */
  async take(ticket: Ticket): Promise<Taken | null> {
    const batch = this.#next()
    const isWithin = batch !== null && !exceeds(batch.cost, ticket.cost) && this.#mayTry(batch)
    if (isWithin && (await this.#admitsCustomers(batch, ticket))) {
      return { batch, ...this.#delivery.erasures.take(batch.items) }
    }
    // A change meanwhile (a lost window, a customer erased or held back) may have ended a bisection.
    await this.#budget.admission.refund(ticket.id)
    if (ticket.probeId !== null) await this.#giveProbeBack(ticket.probeId)
    return null
  }

  async send(batch: Batch, ticket: Ticket): Promise<Attempt> {
    const { sendableMs, redisNowMs, signal } = this.#runtime
    const { sender, erasures } = this.#delivery
    const sentAtMs = redisNowMs()
    this.#attempts += 1
    const begun = this.#judge.begin(batch)
    const isOver = (item: Item) => item.window.lost || erasures.covers(item)
    const holds = () => sendableMs() > 0 && !batch.items.some(isOver)
    const answer = await sender().attempt({
      body: () => writeBody(batch),
      projectCode: batch.projectCode,
      deadlineMonotonicMs: this.#deadlineMs(ticket),
      // The lease has been renewed since, as a rule: then the attempt has its whole time.
      extendedTo: () => (holds() ? this.#deadlineMs(ticket) : -Infinity),
      mayFinish: holds,
      signal,
    })
    return { ...begun, ticket, answer, sentAtMs }
  }

  /** MoEngage's verdict, reported to log, metrics and the rate-limit gauge. */
  classify({ answer, batch, ticket }: Attempt): Outcome {
    const { clock, workspace, observer } = this.#runtime
    const classified = this.#delivery.gauge.credible(classify(answer, clock.nowMs()))
    const outcome = this.#withProvenSize(classified, batch)
    const gauge = gaugeOf(answer, clock.nowMs())
    const { appId } = workspace()
    const facts = { appId, lane: this.#lane, attemptId: ticket.id, probe: ticket.probeId !== null }
    observer.attempted({ ...facts, batch, answer, outcome, gauge })
    this.#delivery.gauge.observe(gauge, outcome.outcome === 'delivered' ? batch.cost : null)
    return outcome
  }

  async decide(attempt: Attempt, outcome: Outcome): Promise<Decision> {
    const isLimited = outcome.outcome === 'rate_limited'
    const usedShare = isLimited ? await this.#usedShare(attempt) : 0
    const { atFault, hold, waitsForOthers } = this.#judgementOf(attempt, outcome)
    this.#isOver = hold !== null
    const endsHold = outcome.outcome === 'delivered' && this.#isTrial(attempt.ticket.probeId)
    const { learned } = this.#budget
    if (isOtherThanSize(outcome)) await learned.forgetCeiling().catch(() => undefined)
    else if (hold !== null || endsHold) await learned.forgetUnproven().catch(() => undefined)
    const event = gateEventOf(outcome, attempt.ticket.probeId, hold)
    return { outcome, atFault, event, usedShare, pauseMs: waitsForOthers ? OTHERS_MS : 0 }
  }

  /** Reports to ledger and gate, then acts on the elements. */
  async settle(attempt: Attempt, decision: Decision): Promise<void> {
    const { event, atFault, outcome } = decision
    // All of it leaves for Redis in one write, the ledger's first.
    const noted = this.#reportToLedger(attempt)
    const { gate } = this.#budget
    const told = event === null ? null : this.#untilRedisAnswers(() => gate.apply(event))
    await this.#deadLetter(atFault, outcome)
    await this.#act(attempt, decision)
    await Promise.all([noted, told])
  }

  #next(): Batch | null {
    this.#plan.drop((item) => item.window.lost || this.#delivery.erasures.covers(item))
    return this.#plan.next()
  }

  #mayTry({ bodyBytes }: Batch): boolean {
    return this.#budget.learned.mayTry(bodyBytes, this)
  }

  /** Counts the attempt for each of its customers; those that must wait are left to later batches. */
  async #admitsCustomers(batch: Batch, { id }: Ticket): Promise<boolean> {
    const admission = await this.#budget.policy.admit(id, batch).catch(() => null)
    if (admission?.outcome === 'admitted') return true
    // Without an answer from the ledger nothing is sent: every request is counted before it is sent.
    if (admission === null) await this.#pause(REDIS_RETRY_DELAY_MS)
    else this.#plan.drop(({ element }) => admission.customers.has(element.customer))
    return false
  }

  #deadlineMs({ deadlineMs }: Ticket): number {
    const { clock, sendableMs } = this.#runtime
    return Math.min(deadlineMs, clock.monotonicMs() + sendableMs())
  }

  #probeDeadlineMs(deadlineMs: number, probeId: string | null): number {
    if (probeId === null) return deadlineMs
    const timeoutMs = probeTimeoutMs(this.#budget.gate.gate.mode)
    return Math.min(deadlineMs, this.#runtime.clock.monotonicMs() + timeoutMs)
  }

  /** One element alone is too large only if its size is known to matter. */
  #withProvenSize(outcome: Outcome, { items, bodyBytes }: Batch): Outcome {
    if (outcome.outcome !== 'too_large' || items.length > 1) return outcome
    if (this.#budget.learned.explains413(bodyBytes)) return outcome
    return { outcome: 'unexplained', error: outcome.error }
  }

  #judgementOf(attempt: Attempt, outcome: Outcome): Judgement {
    if (outcome.outcome === 'delivered') this.#judge.accepted(attempt)
    if (outcome.outcome !== 'unexplained' && outcome.outcome !== 'undecodable') return NOTHING_FOUND
    return this.#judge.refused(attempt, outcome.error, this.#isTrial(attempt.ticket.probeId))
  }

  /** Whether this probe is to find out if anything is accepted again. */
  #isTrial(probeId: string | null): boolean {
    const { gate } = this.#budget
    return unexplainedHold(gate.gate) !== null && probeId !== null && gate.isProbe(probeId)
  }

  async #reportToLedger({ answer, ticket: { id } }: Attempt): Promise<void> {
    const { admission, policy } = this.#budget
    if (answer.kind === 'response') {
      await Promise.all([admission.answered(id), policy.answered(id)])
    } else if (answer.kind === 'not_sent' && NEVER_LEFT.has(answer.why)) {
      await Promise.all([admission.refund(id), policy.refund(id)])
    } else if (answer.kind === 'unknown') {
      await admission.unanswered(id)
    }
  }

  async #act(attempt: Attempt, { outcome, usedShare, pauseMs }: Decision): Promise<void> {
    const { batch, sentAtMs, answer } = attempt
    const { learned } = this.#budget
    switch (outcome.outcome) {
      case 'delivered':
        await this.#delivered(attempt, outcome.requestId)
        return
      case 'element_refused':
        await this.#deadLetter(this.#plan.refused(outcome.error), outcome)
        return
      case 'too_large':
        await learned.bodyRefused(batch.bodyBytes).catch(() => undefined)
        await this.#deadLetter(this.#plan.tooLarge(learned.bodyBytes), outcome)
        return
      case 'rate_limited':
        if (this.#delivery.gauge.expectedRefusal()) return
        await learned.rateRefused(sentAtMs, usedShare).catch(() => undefined)
        return
      case 'transient':
      case 'interrupted':
        this.#noteUnanswered(attempt, outcome.mayHaveArrived)
        // Another request of the workspace must end first. Its end ends this pause, too.
        if (isBusy(answer)) await this.#pause(SHORTEST_ATTEMPT_MS)
        return
      case 'unexplained':
      case 'undecodable':
        if (pauseMs > 0) await this.#pause(pauseMs)
        return
      case 'refused':
        return
    }
  }

  async #delivered({ batch, ticket }: Attempt, requestId: string | null): Promise<void> {
    const { clock, workspace, observer, trace } = this.#runtime
    const { appId } = workspace()
    const answeredAtMs = clock.nowMs()
    const items = await this.#delivery.settler.settle(batch.items)
    this.#plan.delivered()
    // What is not settled counts when it is sent again.
    if (items.length < batch.items.length) {
      observer.possiblyDuplicated(appId, batch.items.length - items.length)
    }
    observer.delivered(appId, this.#lane, { ...batch, items }, answeredAtMs)
    trace.sent(appId, sharesOf({ ...batch, items }), bulkNames(ticket.id, requestId), answeredAtMs)
    await this.#budget.learned.bodyAccepted(batch.bodyBytes).catch(() => undefined)
  }

  #noteUnanswered({ answer, batch }: Attempt, mayHaveArrived: boolean): void {
    const { observer, workspace } = this.#runtime
    if (answer.kind === 'unknown') {
      this.#open.mayArriveLate()
      this.#late.add(batch.items)
    }
    if (mayHaveArrived && answer.kind !== 'not_sent') {
      observer.possiblyDuplicated(workspace().appId, batch.items.length)
    }
  }

  #usedShare({ batch }: Attempt): Promise<number> {
    return this.#budget.admission.usedShare(batch.cost).catch(() => 1)
  }

  /** Dead letter first, then out of the queue: a crash between the two repeats the first. */
  async #deadLetter(item: Item | null, outcome: Outcome): Promise<void> {
    if (item === null) return
    const { deadLetters, settler, erasures } = this.#delivery
    const { workspace, clock, observer } = this.#runtime
    if (erasures.covers(item)) {
      await settler.settle([item])
      return
    }
    const facts = { outcome, attempts: this.#attempts, deadAtMs: clock.nowMs() }
    const letter = deadLetterOf(item, facts)
    await this.#untilRedisAnswers(() => deadLetters.add([letter]))
    const settled = await settler.settle([item], { areBuried: true })
    if (settled.length === 0) return
    observer.deadLettered(workspace().appId, letter.kind, letter.reason, letter.posted)
  }

  /** Removes elements that exceeded the maximum age meanwhile. */
  async #expire(): Promise<void> {
    const { maxAge } = this.#delivery
    const old = new Set(maxAge.expired(this.#plan.items))
    if (old.size === 0) return
    await this.#untilRedisAnswers(() => maxAge.deadLetter([...old], this.#attempts))
    this.#plan.drop((item) => old.has(item))
  }

  /**
   * Passes the gate, as a probe if need be; or waits a while. `probeId`: of a probe that this flight has, or
   * may have because its start was not confirmed.
   */
  async #passGate(probeId: string | null): Promise<{ go: boolean; probeId: string | null }> {
    const { gate } = this.#budget
    const { sendableMs, newId, config } = this.#runtime
    if (sendableMs() < SHORTEST_ATTEMPT_MS) {
      await this.#pause(SHORTEST_ATTEMPT_MS)
      return { go: false, probeId }
    }
    if (probeId !== null && gate.isProbe(probeId)) return { go: true, probeId }
    // Costs a walk over the elements: only where it decides.
    const isUntried = unexplainedHold(gate.gate) !== null && !this.#judge.hasOnlySuspects
    const may = gate.mayStart({ isUntried })
    if (!may.go) {
      await this.#pause(Math.min(may.waitMs, LOOK_AGAIN_MS))
      return { go: false, probeId }
    }
    if (!may.probe) return { go: true, probeId: null }
    const { mode } = gate.gate
    const isHeld = mode.state === 'held'
    if (isHeld && this.#yieldsProbe(mode.nextProbeAtMs)) {
      this.#yieldedProbeMs = mode.nextProbeAtMs
      await this.#pause(YIELD_PROBE_MS)
      return { go: false, probeId }
    }
    const id = probeId ?? newId()
    const ttlMs = config.requestTimeoutMs + LOOK_AGAIN_MS
    const won = await gate.startProbe(id, ttlMs, isUntried).catch(() => null)
    if (won === null) await this.#pause(REDIS_RETRY_DELAY_MS)
    if (won !== true) return { go: false, probeId: won === null ? id : null }
    if (this.#isTrial(id)) this.#judge.splitForTrial()
    else if (isHeld) this.#plan.splitForProbe()
    return { go: true, probeId: id }
  }

  /** Once for each probe that is due. */
  #yieldsProbe(nextProbeAtMs: number): boolean {
    const isTrial = unexplainedHold(this.#budget.gate.gate) !== null
    return isTrial && nextProbeAtMs !== this.#yieldedProbeMs && this.#judge.hasOnlySuspects
  }

  #ask(batch: Batch) {
    return this.#budget.admission.ask({
      lane: this.#lane,
      cost: batch.cost,
      need: batch.cost,
      oldestMs: oldestMsOf(batch),
      queue: true,
    })
  }

  #giveProbeBack(probeId: string): Promise<void> {
    return this.#budget.gate.releaseProbe(probeId).catch(() => undefined)
  }

  async #untilRedisAnswers(act: () => Promise<void>): Promise<void> {
    const { signal, sleep } = this.#runtime
    while (!signal.aborted) {
      const done = await act().then(
        () => true,
        () => false,
      )
      if (done) return
      await sleep(REDIS_RETRY_DELAY_MS)
    }
  }
}

/** Whether it is a 413 that was not about a size. */
function isOtherThanSize(outcome: Outcome): boolean {
  return outcome.outcome === 'unexplained' && outcome.error.status === 413
}

/** Whether every connection was in use. */
function isBusy(answer: Answer): boolean {
  return answer.kind === 'not_sent' && answer.why === 'busy'
}

/**
 * Timeout of a probe: short at first, to detect the end of an outage early; later as long as that of any
 * attempt, to detect that MoEngage is only slow.
 */
function probeTimeoutMs(mode: Mode): number {
  switch (mode.state) {
    case 'retrying':
      return mode.attempt <= SHORT_RETRIES ? PROBE_TIMEOUT_MS : Infinity
    case 'held':
      return Math.max(PROBE_TIMEOUT_MS, mode.probeIntervalMs)
    case 'open':
    case 'rate_limited':
      return Infinity
  }
}
