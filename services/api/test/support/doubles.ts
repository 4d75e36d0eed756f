import type {
  Claim,
  ClaimOutcome,
  ClaimRequest,
  Idempotency,
  IntakeObserver,
  Quota,
  QuotaOutcome,
  QuotaRequest,
  Recalled,
} from '../../src/accept/ports.js'
import type { Caller } from '../../src/accept/fairness.js'
import type { Clock } from '@relay/shared/clock.js'
import type { Post, PostStore, StoreOutcome } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'

/** Keeps posts in memory; `next` decides what it says about the following ones. */
export class InMemoryPostStore implements PostStore {
  readonly posts: Post[] = []
  next: StoreOutcome = { outcome: 'stored' }

  store(post: Post): Promise<StoreOutcome> {
    if (this.next.outcome === 'stored') this.posts.push(post)
    return Promise.resolve(this.next)
  }

  /** Text of every element stored since the last call. */
  take(): string[] {
    return this.posts.splice(0).flatMap(({ elements }) => elements.map((e) => e.json.toString()))
  }
}

interface Entry {
  readonly hash: string
  readonly claim: Claim
  state: 'running' | 'released' | 'done'
  form?: string
}

export class InMemoryIdempotency implements Idempotency {
  readonly #entries = new Map<string, Entry>()
  available = true

  claim(request: ClaimRequest): Promise<ClaimOutcome> {
    return Promise.resolve(this.#claim(request))
  }

  recall({ bodyHash, ...use }: Omit<ClaimRequest, 'requestId'>): Promise<Recalled | null> {
    if (!this.available) return Promise.resolve({ state: 'unavailable' })
    const known = this.#entries.get(idOf(use))
    if (known === undefined) return Promise.resolve(null)
    if (known.hash !== bodyHash.toString('hex')) return Promise.resolve({ state: 'mismatch' })
    return Promise.resolve(replayOf(known))
  }

  #claim({ bodyHash, requestId, nowMs, ...use }: ClaimRequest): ClaimOutcome {
    if (!this.available) return { state: 'unavailable' }
    const id = idOf(use)
    const hash = bodyHash.toString('hex')
    const known = this.#entries.get(id)
    if (known === undefined) {
      const digest = Buffer.from(id).subarray(0, 12)
      const claim: Claim = { state: 'new', requestId, acceptedAtMs: nowMs, digest }
      this.#entries.set(id, { hash, claim, state: 'running' })
      return claim
    }
    if (known.hash !== hash) return { state: 'mismatch' }
    const replay = replayOf(known)
    if (replay !== null) return replay
    if (known.state === 'running') return { state: 'running' }
    known.state = 'running'
    return { ...known.claim, state: 'resumed' }
  }

  get records(): number {
    return this.#entries.size
  }

  complete(claim: Claim, form: string): Promise<void> {
    const entry = this.#entryOf(claim)
    entry.state = 'done'
    entry.form = form
    return Promise.resolve()
  }

  release(claim: Claim, ended: 'unknown' | 'refused'): Promise<void> {
    const entry = this.#entryOf(claim)
    const isFirst = claim.state === 'new'
    for (const [id, each] of this.#entries) {
      if (each === entry && ended === 'refused' && isFirst) this.#entries.delete(id)
    }
    entry.state = 'released'
    return Promise.resolve()
  }

  #entryOf({ requestId }: Claim): Entry {
    const entry = [...this.#entries.values()].find(({ claim }) => claim.requestId === requestId)
    if (entry === undefined) throw new Error('no such claim')
    return entry
  }
}

function replayOf({ claim, form }: Entry): Extract<Recalled, { state: 'replay' }> | null {
  if (form === undefined) return null
  const { requestId, acceptedAtMs } = claim
  return { state: 'replay', first: { requestId, acceptedAtMs, form } }
}

function idOf({ producer, appId, key }: Pick<ClaimRequest, 'producer' | 'appId' | 'key'>): string {
  return JSON.stringify([producer, appId, key])
}

export class ScriptedQuota implements Quota {
  readonly asked: QuotaRequest[] = []
  readonly givenBack: QuotaRequest[] = []
  next: QuotaOutcome = { granted: true }

  take(request: QuotaRequest): Promise<QuotaOutcome> {
    this.asked.push(request)
    return Promise.resolve(this.next)
  }
  giveBack(request: QuotaRequest): Promise<void> {
    this.givenBack.push(request)
    return Promise.resolve()
  }
}

export class RecordingObserver implements IntakeObserver {
  readonly counts: Parameters<IntakeObserver['elements']>[0][] = []
  readonly warnings: Parameters<IntakeObserver['warned']>[] = []
  readonly refusals: Parameters<IntakeObserver['refused']>[] = []
  readonly answers: Parameters<IntakeObserver['answered']>[0][] = []
  readonly failures: unknown[] = []

  elements(count: Parameters<IntakeObserver['elements']>[0]): void {
    this.counts.push(count)
  }
  refused(...refusal: Parameters<IntakeObserver['refused']>): void {
    this.refusals.push(refusal)
  }

  warned(...warning: Parameters<IntakeObserver['warned']>): void {
    this.warnings.push(warning)
  }
  answered(answer: Parameters<IntakeObserver['answered']>[0]): void {
    this.answers.push(answer)
  }
  failed(error: unknown): void {
    this.failures.push(error)
  }
}

export class FixedClock implements Clock {
  now: number

  constructor(now: number) {
    this.now = now
  }
  nowMs(): number {
    return this.now
  }
  monotonicMs(): number {
    return this.now
  }
}

/** Bytes that count up: reproducible, and never the same twice. */
export class CountingRandom implements Random {
  #count = 0

  next(): number {
    return 0.5
  }
  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    // A request id keeps its last 12 bits for a checksum.
    bytes.writeUIntBE((++this.#count * 0x1000) % 2 ** 32, length - 4, 4)
    return bytes
  }
}

/** A client that leaves when it is told to. */
export class LeavingCaller implements Caller {
  hasLeft = false
  readonly #leaving = new Set<() => void>()

  get waiting(): number {
    return this.#leaving.size
  }

  onLeave(leave: () => void): () => void {
    this.#leaving.add(leave)
    return () => this.#leaving.delete(leave)
  }

  leave(): void {
    this.hasLeft = true
    const leaving = [...this.#leaving]
    this.#leaving.clear()
    for (const leave of leaving) leave()
  }
}
