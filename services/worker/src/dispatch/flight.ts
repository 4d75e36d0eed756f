import { exceeds, type Cost } from '@relay/shared/budget/cost.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { DeadLetterSink } from '@relay/shared/dead-letters/dead-letter.js'
import type { Lane } from '@relay/shared/element.js'
import type { Mode } from '@relay/shared/gate/gate-state.js'
import { bulkNames } from '@relay/shared/trace/trace-entry.js'
import type { TraceWriter } from '@relay/shared/trace/trace-store.js'
import { Manifest } from '../retry/manifest.js'
import { oldestMsOf, sharesOf, writeBody, type Batch } from '../batch/body.js'
import type { Admission } from '../budget/admission.js'
import type { GaugeWatch } from '../learn/gauge-watch.js'
import type { Learned } from '../learn/learned.js'
import type { WorkspaceGate } from '../budget/workspace-gate.js'
import { classify } from '../classify/classify.js'
import type { Outcome } from '../classify/outcome.js'
import { gaugeOf } from '../classify/rate-gauge.js'
import type { Item } from '../fetch/window.js'
import type { CustomerPolicy } from '../policy/customer-policy.js'
import { gateEventOf } from '../retry/gate-event.js'
import { Judge, type Begun, type Judgement } from '../retry/judge.js'
import type { Refusals } from '../retry/refusals.js'
import type { Answer, Sender } from '../send/answer.js'
import { deadLetterOf } from '../settle/dead-letter.js'
import type { Erasures } from '../erase/erasures.js'
import type { Expiry } from '../settle/expiry.js'
import type { Open } from '../ownership/in-flight.js'
import type { Settler } from '../settle/settler.js'
import type { WorkerObserver } from './observer.js'

/** A place in the budgets, and the probe that it may be. */
export interface Ticket {
  readonly id: string
  /** The granted cost. */
  readonly cost: Cost
  readonly deadlineMs: number
  readonly probeId: string | null
}

export interface FlightContext {
  readonly lane: Lane
  readonly workspace: () => Workspace
  readonly admission: Admission
  readonly gate: WorkspaceGate
  readonly learned: Learned
  readonly refusals: Refusals
  readonly gauge: GaugeWatch
  readonly policy: CustomerPolicy
  readonly sender: () => Sender
  readonly settler: Settler
  readonly deadLetters: DeadLetterSink
  readonly expiry: Expiry
  readonly erasures: Erasures
  readonly observer: WorkerObserver
  readonly trace: TraceWriter
  readonly clock: Clock
  /** Redis' time, ms since 1970. */
  readonly redisNowMs: () => number
  /** Time for which the worker's lease certainly allows open requests, ms. */
  readonly sendableMs: () => number
  /** Resolves after `ms`, or sooner when the gate, the budgets or the session changed. */
  readonly pause: (ms: number) => Promise<void>
  readonly sleep: (ms: number) => Promise<void>
  readonly signal: AbortSignal
  /** The worker is shutting down: it starts no further requests. */
  readonly stopping: () => boolean
  readonly newId: () => string
  readonly requestTimeoutMs: number
}

interface Attempt extends Begun {
  readonly ticket: Ticket
  readonly answer: Answer
  readonly outcome: Outcome
  /** Redis' time when it was begun, ms. */
  readonly sentAtMs: number
}

/** An attempt is not begun with less than this left of the lease, ms. */
const SHORTEST_ATTEMPT_MS = 100
/** The first probes wait no longer than this for their answer, ms. */
const PROBE_TIMEOUT_MS = 5_000
/** Retries before the whole request timeout is tried again. */
const SHORT_RETRIES = 3
/** Longest wait before looking at the gate again, ms. */
const LOOK_AGAIN_MS = 1_000
/** Redis did not answer; pause before the next try, ms. */
const REDIS_AWAY_MS = 250
const NOTHING_FOUND: Judgement = { atFault: null, everythingRefused: false }
/** Faults before a connection was up: nothing of the attempt left this process. */
const NEVER_LEFT: ReadonlySet<string> = new Set(['refused', 'unresolvable', 'unreachable', 'busy'])

/**
 * One batch on its way until every element of it is delivered, dead-lettered, or somebody else's.
 * Its requests follow one another, so no element ever overtakes an older one of its customer.
 */
export class Flight {
  readonly #c: FlightContext
  readonly #manifest: Manifest
  readonly #judge: Judge
  readonly #open: Open
  #attempts = 0
  /** Everything is refused: another flight tries, with all that was accepted meanwhile. */
  #isOver = false

  constructor(context: FlightContext, batch: Batch, open: Open) {
    this.#c = context
    this.#open = open
    this.#manifest = new Manifest(batch, () => context.workspace().limits)
    this.#judge = new Judge(this.#manifest, context.refusals, context.clock)
  }

  /** `first`: the place in the budgets that was already granted, if any. */
  async run(first: Ticket | null): Promise<void> {
    let ticket = first ?? (await this.#nextTicket())
    while (ticket !== null) {
      const batch = this.#next()
      const isWithin = batch !== null && !exceeds(batch.cost, ticket.cost) && this.#mayTry(batch)
      if (!isWithin || !(await this.#admitsCustomers(batch, ticket))) {
        // A change meanwhile (a lost window, a customer erased or held back) may have ended a bisection.
        await this.#returnTicket(ticket)
        ticket = await this.#nextTicket()
        continue
      }
      const inHand = this.#c.erasures.take(batch.items)
      try {
        await this.#conclude(await this.#attempt(batch, ticket))
      } finally {
        inHand.end()
      }
      ticket = await this.#nextTicket()
    }
  }

  #next(): Batch | null {
    this.#manifest.drop((item) => item.window.lost || this.#c.erasures.covers(item))
    return this.#manifest.next()
  }

  #mayTry({ bodyBytes }: Batch): boolean {
    return this.#c.learned.mayTry(bodyBytes, this)
  }

  /** Counts the attempt for each of its customers; those that must wait are left to later batches. */
  async #admitsCustomers(batch: Batch, { id }: Ticket): Promise<boolean> {
    const admission = await this.#c.policy.admit(id, batch).catch(() => null)
    if (admission?.outcome === 'admitted') return true
    // Without an answer from the ledger nothing is sent: every request is counted before it is sent.
    if (admission === null) await this.#c.pause(REDIS_AWAY_MS)
    else this.#manifest.drop(({ element }) => admission.customers.has(element.customer))
    return false
  }

  async #attempt(batch: Batch, ticket: Ticket): Promise<Attempt> {
    const { clock, sendableMs, sender, signal, observer, lane, erasures } = this.#c
    const sentAtMs = this.#c.redisNowMs()
    this.#attempts += 1
    const begun = this.#judge.begin(batch)
    const isOver = (item: Item) => item.window.lost || erasures.covers(item)
    const holds = () => sendableMs() > 0 && !batch.items.some(isOver)
    const answer = await sender().attempt({
      body: writeBody(batch),
      projectCode: batch.projectCode,
      deadlineMonotonicMs: this.#deadlineMs(ticket),
      // The lease has been renewed since, as a rule: then the attempt has its whole time.
      extendedTo: () => (holds() ? this.#deadlineMs(ticket) : -Infinity),
      mayFinish: holds,
      signal,
    })
    const outcome = classify(answer, clock.nowMs())
    const { appId } = this.#c.workspace()
    const probe = ticket.probeId !== null
    const gauge = gaugeOf(answer, clock.nowMs())
    observer.attempted({ appId, lane, attemptId: ticket.id, probe, batch, answer, outcome, gauge })
    this.#c.gauge.observe(gauge, outcome.outcome === 'delivered' ? batch.cost : null)
    return { ...begun, ticket, answer, outcome, sentAtMs }
  }

  #deadlineMs({ deadlineMs }: Ticket): number {
    return Math.min(deadlineMs, this.#c.clock.monotonicMs() + this.#c.sendableMs())
  }

  #probeDeadlineMs(deadlineMs: number, probeId: string | null): number {
    if (probeId === null) return deadlineMs
    return Math.min(
      deadlineMs,
      this.#c.clock.monotonicMs() + probeTimeoutMs(this.#c.gate.gate.mode),
    )
  }

  /** Reports to ledger and gate, then acts on the elements. */
  async #conclude(attempt: Attempt): Promise<void> {
    const { answer, outcome, ticket } = attempt
    const { gate } = this.#c
    const usedShare = outcome.outcome === 'rate_limited' ? await this.#usedShare(attempt) : 0
    // All of it leaves for Redis in one write, the ledger's first.
    const noted = this.#tellLedger(answer, ticket)
    const judgement = this.#judgementOf(attempt)
    this.#isOver = judgement.everythingRefused
    const event = gateEventOf(outcome, ticket.probeId, judgement.everythingRefused)
    const told = event === null ? null : this.#untilRedisAnswers(() => gate.apply(event))
    await this.#bury(judgement.atFault, outcome)
    await this.#act(attempt, usedShare)
    await Promise.all([noted, told])
  }

  #judgementOf(attempt: Attempt): Judgement {
    const { outcome, ticket } = attempt
    if (outcome.outcome === 'delivered') this.#judge.accepted(attempt)
    if (outcome.outcome !== 'unexplained' && outcome.outcome !== 'undecodable') return NOTHING_FOUND
    return this.#judge.refused(attempt, outcome.error, this.#isTrial(ticket.probeId))
  }

  /** Whether this probe is to find out if anything is accepted again. */
  #isTrial(probeId: string | null): boolean {
    const { mode } = this.#c.gate.gate
    const isHeld = mode.state === 'held' && mode.reason === 'everything_refused'
    return isHeld && probeId !== null && this.#c.gate.isProbe(probeId)
  }

  async #tellLedger(answer: Answer, { id }: Ticket): Promise<void> {
    const { admission, policy } = this.#c
    if (answer.kind === 'response') {
      await Promise.all([admission.answered(id), policy.answered(id)])
    } else if (answer.kind === 'not_sent' && NEVER_LEFT.has(answer.why)) {
      await Promise.all([admission.refund(id), policy.refund(id)])
    }
  }

  async #act(attempt: Attempt, usedShare: number): Promise<void> {
    const { batch, ticket, outcome, sentAtMs } = attempt
    const { workspace, lane, settler, observer, learned, clock, trace } = this.#c
    const { appId } = workspace()
    switch (outcome.outcome) {
      case 'delivered': {
        const answeredAtMs = clock.nowMs()
        await settler.settle(batch.items)
        this.#manifest.delivered()
        observer.delivered(appId, lane, batch, answeredAtMs)
        trace.sent(appId, sharesOf(batch), bulkNames(ticket.id, outcome.requestId), answeredAtMs)
        await learned.bodyAccepted(batch.bodyBytes).catch(() => undefined)
        return
      }
      case 'element_refused':
        await this.#bury(this.#manifest.refused(outcome.error), outcome)
        return
      case 'too_large':
        await learned.bodyRefused(batch.bodyBytes).catch(() => undefined)
        await this.#bury(this.#manifest.tooLarge(learned.bodyBytes), outcome)
        return
      case 'rate_limited':
        await learned.rateRefused(sentAtMs, usedShare).catch(() => undefined)
        return
      case 'transient':
      case 'interrupted':
        this.#noteUnanswered(attempt, outcome.mayHaveArrived)
        // Another request of the workspace must end first. Its end ends this pause, too.
        if (isBusy(attempt.answer)) await this.#c.pause(SHORTEST_ATTEMPT_MS)
        return
      case 'refused':
      case 'unexplained':
      case 'undecodable':
        return
    }
  }

  #noteUnanswered({ answer, batch }: Attempt, mayHaveArrived: boolean): void {
    const { observer, workspace } = this.#c
    if (answer.kind === 'unknown') this.#open.mayArriveLate()
    if (mayHaveArrived && answer.kind !== 'not_sent') {
      observer.possiblyDuplicated(workspace().appId, batch.items.length)
    }
  }

  #usedShare({ batch }: Attempt): Promise<number> {
    return this.#c.admission.usedShare(batch.cost).catch(() => 1)
  }

  /** Dead letter first, then out of the queue: a crash between the two repeats the first. */
  async #bury(item: Item | null, outcome: Outcome): Promise<void> {
    if (item === null) return
    const { workspace, clock, deadLetters, settler, observer, erasures } = this.#c
    if (erasures.covers(item)) {
      await settler.settle([item])
      return
    }
    const facts = { outcome, attempts: this.#attempts, deadAtMs: clock.nowMs() }
    const letter = deadLetterOf(item, facts)
    await this.#untilRedisAnswers(() => deadLetters.bury([letter]))
    await settler.settle([item])
    observer.deadLettered(workspace().appId, letter.kind, letter.reason, letter.posted)
  }

  /** Removes elements that exceeded the maximum age meanwhile. */
  async #expire(): Promise<void> {
    const { expiry } = this.#c
    const old = new Set(expiry.expired(this.#manifest.items))
    if (old.size === 0) return
    await this.#untilRedisAnswers(() => expiry.bury([...old], this.#attempts))
    this.#manifest.drop((item) => old.has(item))
  }

  /** Waits until the next request may be sent; null when nothing is left to send. */
  async #nextTicket(): Promise<Ticket | null> {
    // Released while waiting at the gate, because the prober may be waiting for the trial.
    this.#c.learned.endTrial(this)
    let probeId: string | null = null
    for (;;) {
      await this.#expire()
      const batch = this.#next()
      if (batch === null || this.#isOver || this.#c.signal.aborted || this.#c.stopping()) {
        if (probeId !== null) await this.#giveProbeBack(probeId)
        return null
      }
      const pass = await this.#passGate(probeId)
      probeId = pass.probeId
      if (!pass.go) continue
      this.#manifest.splitToBytes(this.#c.learned.bodyBytes)
      this.#manifest.splitToCost(this.#c.admission.perRequest())
      const next = this.#manifest.next() ?? batch
      if (!this.#mayTry(next)) {
        await this.#c.pause(LOOK_AGAIN_MS)
        continue
      }
      const ask = await this.#ask(next)
      if (ask.outcome === 'granted') {
        const deadlineMs = this.#probeDeadlineMs(ask.deadlineMs, probeId)
        return { id: ask.id, cost: next.cost, deadlineMs, probeId }
      }
      this.#c.learned.endTrial(this)
      if (ask.waitMs > 0) await this.#c.pause(ask.waitMs)
    }
  }

  /**
   * Passes the gate, as a probe if need be; or waits a while. `probeId`: of a probe that this flight has, or
   * may have because its start was not confirmed.
   */
  async #passGate(probeId: string | null): Promise<{ go: boolean; probeId: string | null }> {
    const { gate, sendableMs, pause, newId, requestTimeoutMs } = this.#c
    if (sendableMs() < SHORTEST_ATTEMPT_MS) {
      await pause(SHORTEST_ATTEMPT_MS)
      return { go: false, probeId }
    }
    if (probeId !== null && gate.isProbe(probeId)) return { go: true, probeId }
    const may = gate.mayStart()
    if (!may.go) {
      await pause(Math.min(may.waitMs, LOOK_AGAIN_MS))
      return { go: false, probeId }
    }
    if (!may.probe) return { go: true, probeId: null }
    const isHeld = gate.gate.mode.state === 'held'
    const id = probeId ?? newId()
    const won = await gate.startProbe(id, requestTimeoutMs + LOOK_AGAIN_MS).catch(() => null)
    if (won === null) await pause(REDIS_AWAY_MS)
    if (won !== true) return { go: false, probeId: won === null ? id : null }
    if (this.#isTrial(id)) this.#judge.splitForTrial()
    else if (isHeld) this.#manifest.splitForProbe()
    return { go: true, probeId: id }
  }

  #ask(batch: Batch) {
    return this.#c.admission.ask({
      lane: this.#c.lane,
      cost: batch.cost,
      need: batch.cost,
      oldestMs: oldestMsOf(batch),
      queue: true,
    })
  }

  /** Nothing was sent for it. */
  async #returnTicket({ id, probeId }: Ticket): Promise<void> {
    await this.#c.admission.refund(id)
    if (probeId !== null) await this.#giveProbeBack(probeId)
  }

  #giveProbeBack(probeId: string): Promise<void> {
    return this.#c.gate.releaseProbe(probeId).catch(() => undefined)
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
