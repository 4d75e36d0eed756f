import { createHash } from 'node:crypto'
import type { Workspace } from '@relay/shared/config/workspace.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Lane } from '@relay/shared/element.js'
import { queuedBytes } from '@relay/shared/queue/backlog.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'
import { createRequestId, producerTag, REQUEST_ID_DIGITS } from '@relay/shared/request-id.js'
import type { Detail, Refusal } from '../refusal.js'
import type { Census } from '../census/census.js'
import type { HeldCustomers } from '../guard/held-customers.js'
import { vocabularyOf } from '../validate/vocabulary.js'
import {
  assessing,
  LARGE_BODY_BYTES,
  type Assessment,
  type AssessmentOutcome,
  type RequestLimits,
} from './assess.js'
import { countRejected, countStored, countWarnings } from './count.js'
import type {
  Claim,
  ClaimOutcome,
  Idempotency,
  IntakeObserver,
  LargeBodies,
  Quota,
  QuotaRequest,
} from './ports.js'
import { STAYS, type Caller, type FairSlices } from './fairness.js'
import type { Endpoint } from './parse.js'
import * as refusals from './refusals.js'

/** An authenticated request with valid headers. */
export interface IntakeRequest {
  readonly endpoint: Endpoint
  readonly workspace: Workspace
  readonly producer: string
  readonly lane: Lane
  /** Accept the valid elements even if others are invalid. */
  readonly lenient: boolean
  readonly idempotencyKey: string | null
  /** The project of a Portfolio workspace; null: none. */
  readonly projectCode: string | null
  /** Warnings about the request itself, returned with a success. */
  readonly warnings: readonly Detail[]
  /** After decompression. */
  readonly body: Buffer
  readonly caller: Caller
  /** Reserves bytes of memory beyond the body until the answer; returns a refusal if there is none. */
  readonly room: (bytes: number) => Refusal | null
}

export type Acceptance =
  /** Nothing was begun but to judge it: the caller left. */
  | { readonly outcome: 'left' }
  | { readonly outcome: 'accepted'; readonly requestId: string; readonly body: string; readonly elements: number } // prettier-ignore
  | { readonly outcome: 'replayed'; readonly requestId: string; readonly body: string }
  | {
      readonly outcome: 'refused'
      readonly refusal: Refusal
      /** The store certainly kept nothing of it. */
      readonly nothingStored?: boolean
    }

export interface AcceptDeps {
  readonly store: PostStore
  readonly idempotency: Idempotency
  readonly quota: Quota
  readonly clock: Clock
  readonly random: Random
  readonly limits: RequestLimits
  /** Shared by posts and imports. */
  readonly slices: FairSlices
  readonly observer: IntakeObserver
  /** null: large bodies are judged like all others. */
  readonly largeBodies: LargeBodies | null
  /** Absent: no names are recorded. */
  readonly census?: Pick<Census, 'known' | 'consider'> | undefined
  readonly held: Pick<HeldCustomers, 'of'>
}

const MESSAGE = 'Your request has been accepted and will be processed soon.'

/** The usual answer up to the request id. */
const PLAIN_SUCCESS = JSON.stringify({ status: 'success', message: MESSAGE, request_id: '' }).slice(
  0,
  -2,
)

/**
 * Takes a request from its body to the queues: validates it, claims its key, charges its quota,
 * stores it. Reports success only once the store has confirmed it.
 */
export class Acceptor {
  readonly #deps: AcceptDeps

  constructor(deps: AcceptDeps) {
    this.#deps = deps
  }

  async accept(request: IntakeRequest): Promise<Acceptance> {
    const { clock, observer } = this.#deps
    const nowMs = clock.nowMs()
    const judged = this.#judge(request, nowMs)
    const assessed = judged instanceof Promise ? await judged : judged
    if (assessed === null || request.caller.hasLeft) return { outcome: 'left' }
    if (!assessed.ok) {
      return this.#refuse(request, refusals.bodyRefusal(assessed.fault), nowMs)
    }
    const { assessment } = assessed
    countRejected(observer, request, assessment)
    const { findings, accepted } = assessment
    if (accepted.length === 0 || (findings.problemCount > 0 && !request.lenient)) {
      const refusal = refusals.invalidRefusal(findings)
      // Lenient: "none valid: 400", for any mix of problems.
      return this.#refuse(request, request.lenient ? { ...refusal, status: 400 } : refusal, nowMs)
    }
    return this.#claim(request, assessment, nowMs)
  }

  /** Judges the body as if it came then, in its producer's turn; null: the caller left. */
  #judge(
    { endpoint, workspace, producer, body, caller }: IntakeRequest,
    nowMs: number,
  ): AssessmentOutcome | Promise<AssessmentOutcome | null> {
    const { limits, largeBodies } = this.#deps
    const names = vocabularyOf(workspace)
    const known = this.#deps.census?.known(workspace.appId)
    const context = { endpoint, workspaceLimits: workspace.limits, limits, names, known, nowMs }
    if (largeBodies !== null && body.length >= LARGE_BODY_BYTES) {
      return largeBodies.assess(producer, body, context, caller)
    }
    return this.#deps.slices.run(producer, assessing(body, context), caller)
  }

  /**
   * Refuses an invalid request, unless its key was accepted before: an accepted request stays
   * accepted even if the rules or limits of the workspace have changed.
   */
  async #refuse(request: IntakeRequest, refusal: Refusal, nowMs: number): Promise<Acceptance> {
    const { producer, workspace, idempotencyKey: key } = request
    if (key === null) return refused(refusal)
    const { appId } = workspace
    const use = { producer, appId, key, bodyHash: hashOf(request), nowMs }
    const recalled = await this.#deps.idempotency.recall(use)
    if (recalled === null || recalled.state === 'unavailable') return refused(refusal)
    return this.#known(request, recalled)
  }

  async #claim(request: IntakeRequest, assessment: Assessment, nowMs: number): Promise<Acceptance> {
    const { idempotency, random } = this.#deps
    const { producer, workspace, idempotencyKey: key } = request
    // Stamps and repeated fields can make several bytes of one.
    const grown = jsonBytes(assessment) - request.body.length
    const noRoom = grown > 0 ? request.room(grown) : null
    if (noRoom !== null) return refused(noRoom)
    const count = assessment.accepted.length
    const requestId = createRequestId(nowMs, count, producerTag(producer), random)
    const quota = this.#quotaRequest(request, assessment)
    if (key === null) {
      const exceeded = await this.#exceeded(quota)
      if (exceeded !== null) return exceeded
      return this.#store(request, assessment, { requestId, acceptedAtMs: nowMs }, quota)
    }
    const { appId } = workspace
    const use = { producer, appId, key, bodyHash: hashOf(request), requestId, nowMs }
    if (quota !== null) {
      // Checked before the claim is written, so a refused post leaves nothing. A repeated post takes none.
      const recalled = await idempotency.recall(use)
      if (recalled !== null) return this.#known(request, recalled)
      const exceeded = await this.#exceeded(quota)
      if (exceeded !== null) return exceeded
    }
    const claim = await idempotency.claim(use)
    if ('requestId' in claim) return this.#run(request, assessment, claim, nowMs, quota)
    if (quota !== null) await this.#deps.quota.giveBack(quota)
    return this.#known(request, claim)
  }

  /** Charges the quota, or reports that it is exceeded. */
  async #exceeded(quota: QuotaRequest | null): Promise<Acceptance | null> {
    if (quota === null) return null
    const taken = await this.#deps.quota.take(quota)
    return taken.granted ? null : refused(refusals.quotaRefusal(taken))
  }

  /** Answers a request whose key was used before, or cannot be used. */
  async #known(request: IntakeRequest, known: Exclude<ClaimOutcome, Claim>): Promise<Acceptance> {
    if (known.state !== 'replay') return refused(refusals.claimRefusal(known.state))
    const { requestId, acceptedAtMs: nowMs, form } = known.first
    const body = await this.#firstBody(request, requestId, nowMs, form)
    if (body === null) return { outcome: 'left' }
    return { outcome: 'replayed', requestId, body }
  }

  /** The first answer, derived from the same body as it was judged then; null: the caller left. */
  async #firstBody(
    request: IntakeRequest,
    requestId: string,
    nowMs: number,
    form: string,
  ): Promise<string | null> {
    if (form === PLAIN_FORM) return plainSuccess(requestId)
    const { endpoint = request.endpoint, lenient = request.lenient, digest } = readForm(form)
    const { warnings } = request
    const first = await this.#judge({ ...request, endpoint }, nowMs)
    if (first === null) return null
    if (first.ok) {
      const handling = { lenient, warnings }
      // The census may have had nothing to say then, or the same as now.
      const plain = successBody(first.assessment, handling, requestId)
      if (plain !== '' && (digest === undefined || digest === answerDigest(plain))) return plain
      this.#consider(request, first.assessment)
      const body = successBody(first.assessment, handling, requestId)
      if (digest === answerDigest(body)) return body
    }
    return JSON.stringify({
      ...{ status: 'success', message: MESSAGE, request_id: requestId },
      warnings: [{ index: 0, attribute: '', message: DETAILS_GONE }],
    })
  }

  /** Runs a claimed request and returns the claim in every case. */
  async #run(
    request: IntakeRequest,
    assessment: Assessment,
    claim: Claim,
    nowMs: number,
    quota: QuotaRequest | null,
  ): Promise<Acceptance> {
    const { idempotency } = this.#deps
    const judged =
      claim.acceptedAtMs === nowMs ? assessment : await this.#asFirst(request, assessment, claim)
    let ended: 'unknown' | 'refused' | { readonly form: string } = 'unknown'
    try {
      const acceptance = await this.#store(request, judged, claim, quota)
      if (acceptance.outcome === 'accepted') ended = { form: formOf(request, acceptance.body) }
      else if (acceptance.outcome === 'refused' && acceptance.nothingStored) ended = 'refused'
      return acceptance
    } finally {
      if (typeof ended === 'object') await idempotency.complete(claim, ended.form)
      // Not awaited: a slow Redis would delay the 503 beyond a second. The same connection takes it first.
      else void idempotency.release(claim, ended)
    }
  }

  /**
   * Validates a resumed request as of its first try, so that both tries queue the same elements. An
   * event that was too far in the future then is still refused.
   */
  async #asFirst(
    request: IntakeRequest,
    assessment: Assessment,
    { acceptedAtMs: nowMs }: Claim,
  ): Promise<Assessment> {
    // The request is claimed, so it is completed even if the caller disconnects.
    const first = await this.#judge({ ...request, caller: STAYS }, nowMs)
    // Changed settings may refuse it as of the first try; then the present assessment applies.
    if (first === null) return assessment
    const refused = !first.ok || (first.assessment.findings.problemCount > 0 && !request.lenient)
    return refused || first.assessment.accepted.length === 0 ? assessment : first.assessment
  }

  async #store(
    request: IntakeRequest,
    assessment: Assessment,
    run: Pick<Claim, 'requestId' | 'acceptedAtMs'> & { readonly digest?: Buffer },
    quota: QuotaRequest | null,
  ): Promise<Acceptance> {
    const { lane, workspace } = request
    const { requestId, acceptedAtMs, digest } = run
    const elements = assessment.queued
    const { appId } = workspace
    const projectCode = request.projectCode ?? undefined
    const post = { appId, lane, requestId, projectCode, acceptedAtMs, elements, digest }
    const stored = await this.#deps.store.store(post)
    switch (stored.outcome) {
      case 'stored':
        this.#consider(request, assessment)
        countStored(this.#deps.observer, request, assessment, 'accepted')
        countWarnings(this.#deps.observer, request, assessment)
        return {
          outcome: 'accepted',
          requestId,
          body: successBody(assessment, request, requestId),
          elements: assessment.accepted.length,
        }
      case 'refused':
      case 'unknown':
        countStored(this.#deps.observer, request, assessment, 'unavailable')
        if (stored.outcome === 'refused' && quota !== null) await this.#deps.quota.giveBack(quota)
        return {
          ...refused(refusals.storeRefusal(stored.outcome, stored.reason)),
          nothingStored: stored.outcome === 'refused',
        }
    }
  }

  /** Records the names of accepted elements, and adds warnings about doubtful ones and customers that wait. */
  #consider(
    { workspace: { appId }, producer, projectCode }: IntakeRequest,
    { accepted, queued, seen, findings }: Assessment,
  ): void {
    const { census, clock, held } = this.#deps
    census?.consider(appId, { producer, projectCode, nowMs: clock.nowMs() }, seen, findings)
    const waiting = new Set(held.of(appId))
    if (waiting.size === 0) return
    let passed = 0
    for (const { customer, posted } of queued) {
      // Once per request: the first element of a customer stands for all.
      if (waiting.delete(customer)) findings.add('heldCustomer', accepted[passed] ?? 0, '')
      passed += posted
    }
  }

  /** What the request takes from its producer's quota; null if it has none. */
  #quotaRequest(request: IntakeRequest, assessment: Assessment): QuotaRequest | null {
    const { producer, workspace, lane } = request
    const quota = workspace.quotas.get(producer)
    if (quota === undefined) return null
    const { appId } = workspace
    const elements = assessment.queued.reduce((sum, { cost }) => sum + cost, 0)
    return { producer, appId, lane, quota, elements, bytes: queuedBytes(assessment.queued) }
  }
}

/** The answer to an accepted request; '' if no element would be accepted. */
function successBody(
  { findings, accepted }: Assessment,
  { lenient, warnings: doubts }: Pick<IntakeRequest, 'lenient' | 'warnings'>,
  requestId: string,
): string {
  if (accepted.length === 0) return ''
  const warnings = [...doubts, ...refusals.detailsOf(findings.warnings, findings.warningCount)]
  if (warnings.length === 0 && !lenient) return plainSuccess(requestId)
  const { problems, problemCount } = findings
  return JSON.stringify({
    ...{ status: 'success', message: MESSAGE, request_id: requestId },
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(lenient ? { rejected: refusals.detailsOf(problems, problemCount) } : {}),
  })
}

/** An id contains only letters and digits. */
function plainSuccess(requestId: string): string {
  return `${PLAIN_SUCCESS}${requestId}"}`
}

/** The form of an answer that contains only its id. */
const PLAIN_FORM = 'plain'

const DETAILS_GONE =
  'The details of the first answer cannot be derived again: the rules or limits have changed since'

/** What is stored of an answer under a key: how the body was validated, and a digest of the text. */
function formOf({ endpoint, lenient }: IntakeRequest, body: string): string {
  const isPlain = body.length === PLAIN_SUCCESS.length + REQUEST_ID_DIGITS + 2
  if (isPlain) return PLAIN_FORM
  return `${endpoint} ${lenient ? 'lenient' : 'whole'} ${answerDigest(body)}`
}

/** '' is the form of an answer by an older relay, which stored none. */
function readForm(form: string): { endpoint?: Endpoint; lenient?: boolean; digest?: string } {
  const [endpoint = '', handling, digest] = form.split(' ')
  if (digest === undefined) return {}
  return { endpoint: endpoint as Endpoint, lenient: handling === 'lenient', digest }
}

function answerDigest(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 16)
}

function jsonBytes({ queued }: Assessment): number {
  let bytes = 0
  for (const { json } of queued) bytes += json.length
  return bytes
}

/** What a key identifies: the body and its project. JSON text contains no raw NUL. */
function hashOf({ body, projectCode }: IntakeRequest): Buffer {
  const hash = createHash('sha256').update(body)
  if (projectCode !== null) hash.update(`\0project_code=${projectCode}`)
  return hash.digest()
}

function refused(refusal: Refusal): Acceptance & { outcome: 'refused' } {
  return { outcome: 'refused', refusal }
}
