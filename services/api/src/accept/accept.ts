import { createHash } from 'node:crypto'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Lane } from '@relay/shared/element.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'
import { createRequestId, producerTag } from '@relay/shared/request-id.js'
import type { Detail, Refusal } from '../refusal.js'
import { assess, type Assessment, type RequestLimits } from './assess.js'
import { countRejected, countStored, countWarnings } from './count.js'
import { vocabularyOf } from '../validate/vocabulary.js'
import type { Endpoint } from './parse.js'
import type {
  Claim,
  ClaimOutcome,
  Idempotency,
  IntakeObserver,
  Quota,
  QuotaRequest,
} from './ports.js'
import * as refusals from './refusals.js'

/** A request whose sender is known and whose headers are in order. */
export interface IntakeRequest {
  readonly endpoint: Endpoint
  readonly workspace: Workspace
  readonly producer: string
  readonly lane: Lane
  /** Accept the valid elements although others are not. */
  readonly lenient: boolean
  readonly idempotencyKey: string | null
  /** The project of a Portfolio workspace; null: none. */
  readonly projectCode: string | null
  /** What is doubtful about the request itself; said beside a success. */
  readonly warnings: readonly Detail[]
  /** After decompression. */
  readonly body: Buffer
}

export type Acceptance =
  | { readonly outcome: 'accepted'; readonly requestId: string; readonly body: string; readonly elements: number } // prettier-ignore
  | {
      readonly outcome: 'replayed'
      readonly requestId: string
      readonly status: number
      readonly body: string
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

export interface AcceptDeps {
  readonly store: PostStore
  readonly idempotency: Idempotency
  readonly quota: Quota
  readonly clock: Clock
  readonly random: Random
  readonly limits: RequestLimits
  readonly observer: IntakeObserver
}

const MESSAGE = 'Your request has been accepted and will be processed soon.'

/** The usual answer up to the request's id. */
const PLAIN_SUCCESS = JSON.stringify({ status: 'success', message: MESSAGE, request_id: '' }).slice(
  0,
  -2,
)

/**
 * The way of a request from its body to the queues: judge it, claim its key, take its quota, store
 * it. Success is only said once the store has said so.
 */
export class Acceptor {
  readonly #deps: AcceptDeps

  constructor(deps: AcceptDeps) {
    this.#deps = deps
  }

  async accept(request: IntakeRequest): Promise<Acceptance> {
    const { clock, limits, observer } = this.#deps
    const nowMs = clock.nowMs()
    const { endpoint, workspace, body } = request
    const workspaceLimits = workspace.limits
    const names = vocabularyOf(workspace)
    const assessed = assess(body, { endpoint, workspaceLimits, limits, names, nowMs })
    if (!assessed.ok) {
      return this.#refuse(request, refusals.bodyRefusal(assessed.fault), nowMs)
    }
    const { assessment } = assessed
    countRejected(observer, request, assessment)
    const { findings, accepted } = assessment
    if (accepted.length === 0 || (findings.problemCount > 0 && !request.lenient)) {
      const refusal = refusals.invalidRefusal(findings)
      // Lenient: "none valid: 400", whatever is wrong with each.
      return this.#refuse(request, request.lenient ? { ...refusal, status: 400 } : refusal, nowMs)
    }
    return this.#claim(request, assessment, nowMs)
  }

  /**
   * Refuses what is invalid now, unless its key says more: what was accepted before stays accepted,
   * although the rules or the limits of the workspace changed since.
   */
  async #refuse(request: IntakeRequest, refusal: Refusal, nowMs: number): Promise<Acceptance> {
    const { producer, workspace, idempotencyKey: key } = request
    if (key === null) return refused(refusal)
    const { appId } = workspace
    const use = { producer, appId, key, bodyHash: hashOf(request), nowMs }
    const recalled = await this.#deps.idempotency.recall(use)
    if (recalled === null) return refused(refusal)
    if (recalled.state === 'replay') return replayed(recalled)
    return refused(refusals.claimRefusal(recalled.state))
  }

  async #claim(request: IntakeRequest, assessment: Assessment, nowMs: number): Promise<Acceptance> {
    const { idempotency, random } = this.#deps
    const { producer, workspace, idempotencyKey: key } = request
    const count = assessment.accepted.length
    const requestId = createRequestId(nowMs, count, producerTag(producer), random)
    if (key === null) return this.#store(request, assessment, { requestId, acceptedAtMs: nowMs })
    const { appId } = workspace
    const use = { producer, appId, key, bodyHash: hashOf(request), requestId, nowMs }
    const claim = await idempotency.claim(use)
    switch (claim.state) {
      case 'new':
      case 'resumed':
        return this.#run(request, assessment, claim, nowMs)
      case 'replay':
        return replayed(claim)
      case 'mismatch':
      case 'running':
      case 'unavailable':
        return refused(refusals.claimRefusal(claim.state))
    }
  }

  /** Runs a claimed request and gives the claim back in every case. */
  async #run(
    request: IntakeRequest,
    assessment: Assessment,
    claim: Claim,
    nowMs: number,
  ): Promise<Acceptance> {
    const { idempotency } = this.#deps
    const judged =
      claim.acceptedAtMs === nowMs ? assessment : this.#asFirst(request, assessment, claim)
    let acceptance: Acceptance | null = null
    try {
      acceptance = await this.#store(request, judged, claim)
    } finally {
      if (acceptance?.outcome === 'accepted') {
        await idempotency.complete(claim, { status: 200, body: acceptance.body })
      } else await idempotency.release(claim)
    }
    return acceptance
  }

  /**
   * A resumed request as its first try judged it: one request, one text. An event that lay too far
   * in the future then is not taken now, for what was stored already would be told apart from it.
   */
  #asFirst(
    { endpoint, workspace, body, lenient }: IntakeRequest,
    assessment: Assessment,
    { acceptedAtMs: nowMs }: Claim,
  ): Assessment {
    const { limits } = this.#deps
    const names = vocabularyOf(workspace)
    const context = { endpoint, workspaceLimits: workspace.limits, limits, names, nowMs }
    const first = assess(body, context)
    // Settings that changed since may refuse it now; then it is as good as it was judged just now.
    const refused = !first.ok || (first.assessment.findings.problemCount > 0 && !lenient)
    return refused || first.assessment.accepted.length === 0 ? assessment : first.assessment
  }

  async #store(
    request: IntakeRequest,
    assessment: Assessment,
    run: Pick<Claim, 'requestId' | 'acceptedAtMs'> & { readonly digest?: Buffer },
  ): Promise<Acceptance> {
    const { lane, workspace, projectCode } = request
    const quota = this.#quotaRequest(request, assessment)
    if (quota !== null) {
      const taken = await this.#deps.quota.take(quota)
      if (!taken.granted) return refused(refusals.quotaRefusal(taken))
    }
    const { requestId, acceptedAtMs, digest } = run
    const elements = assessment.queued
    const { appId } = workspace
    const project = projectCode === null ? {} : { projectCode }
    const post = { appId, lane, requestId, ...project, acceptedAtMs, elements, digest }
    const stored = await this.#deps.store.store(post)
    switch (stored.outcome) {
      case 'stored':
        countStored(this.#deps.observer, request, assessment, 'accepted')
        countWarnings(this.#deps.observer, request, assessment)
        return this.#success(request, assessment, requestId)
      case 'refused':
      case 'unknown':
        countStored(this.#deps.observer, request, assessment, 'unavailable')
        if (stored.outcome === 'refused' && quota !== null) await this.#deps.quota.giveBack(quota)
        return refused(refusals.storeRefusal(stored.outcome, stored.reason))
    }
  }

  /** What the request takes of its producer's quota; null: it has none. */
  #quotaRequest(request: IntakeRequest, { accepted }: Assessment): QuotaRequest | null {
    const { producer, workspace, lane, body } = request
    const quota = workspace.quotas.get(producer)
    if (quota === undefined) return null
    const { appId } = workspace
    return { producer, appId, lane, quota, elements: accepted.length, bytes: body.length }
  }

  #success(request: IntakeRequest, assessment: Assessment, requestId: string): Acceptance {
    const { findings, accepted } = assessment
    const warnings = [
      ...request.warnings,
      ...refusals.detailsOf(findings.warnings, findings.warningCount),
    ]
    if (warnings.length === 0 && !request.lenient) {
      // An id holds letters and digits alone.
      const body = `${PLAIN_SUCCESS}${requestId}"}`
      return { outcome: 'accepted', requestId, body, elements: accepted.length }
    }
    const body = JSON.stringify({
      status: 'success',
      message: MESSAGE,
      request_id: requestId,
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(request.lenient
        ? { rejected: refusals.detailsOf(findings.problems, findings.problemCount) }
        : {}),
    })
    return { outcome: 'accepted', requestId, body, elements: accepted.length }
  }
}

/** What a key stands for: the body, and the project that it is for. No JSON text has a raw NUL. */
function hashOf({ body, projectCode }: IntakeRequest): Buffer {
  const hash = createHash('sha256').update(body)
  if (projectCode !== null) hash.update(`\0project_code=${projectCode}`)
  return hash.digest()
}

/** The first answer again, under the id that it gave. */
function replayed({ status, body }: ClaimOutcome & { state: 'replay' }): Acceptance {
  const { request_id: requestId } = JSON.parse(body) as { request_id: string }
  return { outcome: 'replayed', requestId, status, body }
}

function refused(refusal: Refusal): Acceptance {
  return { outcome: 'refused', refusal }
}
