/*
 * Which partitions this worker serves. A partition's claim lies in its own slot of Redis and names the
 * session that made it.
 *
 *   active, unclaimed ──claim──▶ owned ──fair share is smaller──▶ retiring ──free──▶ released
 *   active, unclaimed for too long ──claim beyond the fair share──▶ owned
 *   claimed by a session that is over ──claim──▶ owned
 *   owned ──lease lost or Redis restarted──▶ former ──claim again before joining──▶ owned
 *   owned ──settle fenced──▶ another worker's
 *   owned ──workspace is not configured here, other workers live──▶ retiring
 *
 * Only a partition that is free of requests in flight is released (`InFlight`).
 */
import type { Clock } from '@relay/shared/clock.js'
import type { Deployment, Roster } from '@relay/shared/queue/deployment.js'
import { parsePartitionTag } from '@relay/shared/queue/keys.js'
import type { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import { PartitionWindow } from '../fetch/window.js'
import { joinedIn, sessionOf, workerOf } from '@relay/shared/queue/session-id.js'
import { fairShare, rankFor } from './fair-share.js'
import type { InFlight } from './in-flight.js'
import type { Peers } from './peers.js'

export interface OwnershipOptions {
  /** This process; its sessions are named after it. */
  readonly worker: string
  readonly queueOf: (tag: string) => PartitionQueue
  readonly deployment: Pick<Deployment, 'prune'>
  readonly clock: Clock
  readonly leaseMs: number
  readonly peers: Peers
  readonly inFlight: InFlight
  /** Which run of Redis this worker speaks to. */
  readonly runId: () => string
  /** Redis' time, ms since 1970. */
  readonly redisNowMs: () => number
  /** This process' session at present, and whether its lease holds. */
  readonly session: () => { id: string; alive: boolean }
  readonly onGained: (window: PartitionWindow, queue: PartitionQueue) => void
  readonly onLost: (window: PartitionWindow) => void
  /** Whether this worker can send for the workspace. Others, whose file is older or newer, may. */
  readonly serves: (appId: string) => boolean
  readonly onTakeover: (tag: string, from: string) => void
  /** A partition is given up because a newer relay wrote its next chunk. */
  readonly onUnreadable: (tag: string, format: number) => void
  /** Fetches a new roster, when an owner's session is unknown. */
  readonly refresh: () => void
}

/** A partition's claim, '' for none, and when it was first and last seen, monotonic ms. */
interface SeenOwner {
  readonly claim: string
  readonly seenAtMs: number
  readonly heardAtMs: number
}

interface Owned {
  readonly window: PartitionWindow
  readonly queue: PartitionQueue
}

/** A claim that this worker had when its session ended. */
interface FormerClaim {
  readonly claim: string
  /** The lease was valid, so no other worker can have claimed the partition since, even if Redis lost data. */
  readonly isCertain: boolean
}

/** A partition is deactivated when its last mark is older, ms: it costs two scripts to activate it again. */
const DEACTIVATE_AFTER_MS = 30_000
/** Time for which a partition that this worker cannot read is left to newer workers, ms. */
const LEAVE_UNREADABLE_MS = 10_000
/** A claim that Redis gets to later is refused, ms. Longer than a command's timeout. */
const CLAIM_WITHIN_MS = 3_000

/**
 * A partition that stays free for longer is claimed beyond the fair share, ms: the session that ranks first
 * for it claims then, the next one as much later. Workers see different active sets, as partitions become
 * inactive between two rosters, so that each may find its share full.
 */
const FREE_MS = 250
/** Time for which such a partition is not released to the same sessions, which may be unable to serve it, ms. */
const KEEP_LEFT_MS = 60_000
const MAX_RANK = 3

export class Ownership {
  readonly #options: OwnershipOptions
  readonly #owned = new Map<string, Owned>()
  readonly #owners = new Map<string, SeenOwner>()
  /** Active partitions, by mark. */
  #active = new Map<string, number>()
  readonly #former = new Map<string, FormerClaim>()
  /** Partitions that only a newer worker can read, and until when they are left to it, monotonic ms. */
  readonly #unreadable = new Map<string, number>()
  /** Since when partitions are free, monotonic ms. */
  #freeSince = new Map<string, number>()
  /** Partitions that these sessions left to this worker; more than once: until when they are kept, monotonic ms. */
  #left = { sessions: '', untilMs: new Map<string, number>() }
  #lookAgain: NodeJS.Timeout | undefined
  /** Claims without an answer yet. */
  readonly #claiming = new Set<string>()
  #claims = 0
  #stopped = false

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  get owned(): ReadonlyMap<string, Owned> {
    return this.#owned
  }

  /** Whether nothing is owned, and no claim is in flight. */
  get isReleased(): boolean {
    return this.#owned.size === 0 && this.#claiming.size === 0
  }

  /** Partitions that are left to newer workers for now. */
  get unreadable(): readonly string[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...this.#unreadable].filter(([, untilMs]) => nowMs < untilMs).map(([tag]) => tag)
  }

  /** Drops all windows after the end of the session; `wasAlive`: its lease was still valid. */
  dropAll(wasAlive: boolean): void {
    for (const [tag, { window }] of this.#owned) {
      this.#former.set(tag, { claim: window.claim, isCertain: wasAlive })
      window.mayReturn = wasAlive
      this.#drop(window)
    }
    this.#owners.clear()
  }

  /** Another worker owns it, as a refused settle shows. */
  drop(window: PartitionWindow): void {
    this.#drop(window)
    this.#owners.delete(window.tag)
  }

  /**
   * Makes the claims of the former session again for `session`, which has not joined yet: once it has,
   * others take every partition without an owner for free.
   */
  async reclaim(session: string): Promise<void> {
    const former = [...this.#former]
    this.#former.clear()
    await Promise.all(former.map(([tag, claim]) => this.#reclaim(tag, claim, session)))
  }

  /**
   * Applies a roster that was requested at `askedAtMs`, monotonic: claims free partitions, and releases
   * those that others should own.
   */
  async balance({ active, redisNowMs }: Roster, askedAtMs: number): Promise<void> {
    this.#active = new Map(active)
    for (const tag of this.#owners.keys()) if (!active.has(tag)) this.#owners.delete(tag)
    const unsure = this.#tags().filter((tag) => this.#serves(tag) && !this.#isSureOfOwner(tag))
    await this.#lookUpOwners(unsure)
    this.#retire(await this.#apply())
    if (this.#tags().some((tag) => this.#isUnjudged(tag))) this.#options.refresh()
    await Promise.all([
      this.#releaseUnused(askedAtMs),
      this.#lookForChunks(),
      this.#deactivate(redisNowMs),
    ])
  }

  /** Milliseconds until a partition may become free because its owner's session is over. */
  nextEndMs(): number {
    const sessions = this.#tags().map((tag) => sessionOf(this.#owners.get(tag)?.claim ?? ''))
    return this.#options.peers.nextEndMs(new Set(sessions.filter((session) => session !== '')))
  }

  /** Wake-ups may have been missed: looks into every owned partition. */
  recheck(): void {
    for (const own of this.#owned.values()) this.#look(own)
  }

  /** A partition got data while it was empty; `owner` is the claim that serves it, if any. */
  async woken(tag: string, owner: string): Promise<void> {
    const own = this.#owned.get(tag)
    if (own) {
      this.#look(own)
      return
    }
    if (!this.#active.has(tag)) this.#active.set(tag, Infinity)
    this.#saw(tag, owner)
    if (!this.#serves(tag)) return
    if (this.#isUnjudged(tag)) this.#options.refresh()
    else if (!this.#mayBeServed(tag)) await this.#apply()
  }

  /** Claims nothing any more, and releases every partition as soon as it is free. */
  releaseAll(): void {
    this.#stopped = true
    clearTimeout(this.#lookAgain)
    this.#retire([...this.#owned.values()])
  }

  /** Nothing of the partition is in flight any more. */
  idle(window: PartitionWindow): void {
    const own = this.#owned.get(window.tag)
    if (own?.window !== window) {
      // Claimed again meanwhile, and kept for this request: now it can be served, or given back.
      if (window.lost) this.#options.refresh()
      return
    }
    const { tag, unreadable } = window
    if (!window.isUnreadable || unreadable === null || window.retiring) return
    this.#unreadable.set(tag, this.#options.clock.monotonicMs() + LEAVE_UNREADABLE_MS)
    this.#options.onUnreadable(tag, unreadable)
    this.#retire([own])
  }

  #tags(): string[] {
    return [...this.#active.keys()]
  }

  /** Starts nothing new on these; released when free. */
  #retire(spare: readonly Owned[]): void {
    for (const own of spare) {
      if (own.window.retiring) continue
      own.window.retiring = true
      this.#options.inFlight.whenFree(own.window.tag, () => void this.#release(own))
    }
  }

  /** Claims free partitions of the fair share. Returns owned partitions beyond it. */
  async #apply(): Promise<Owned[]> {
    const { id, alive } = this.#options.session()
    if (!alive || this.#stopped) return []
    const { clock, peers } = this.#options
    const live = new Map<string, string>()
    const left = new Set(this.unreadable)
    const active = this.#tags()
      .filter((tag) => !left.has(tag) && this.#serves(tag))
      .sort()
    for (const tag of active) {
      if (this.#owned.has(tag)) live.set(tag, id)
      else if (this.#mayBeServed(tag)) live.set(tag, sessionOf(this.#owners.get(tag)?.claim ?? ''))
    }
    const sessions = peers.present.has(id) ? [...peers.present] : [...peers.present, id]
    const share = fairShare(id, sessions, active, live)
    const overdue = this.#overdue(share.rest, id, sessions)
    const claimable = [...share.claim, ...overdue].filter((tag) => this.#mayClaim(tag))
    const askedAtMs = clock.monotonicMs()
    const refused = await Promise.all(claimable.map((tag) => this.#claimOnce(tag, id)))
    this.#noteLeft(
      overdue.filter((tag) => this.#owned.has(tag)),
      sessions,
    )
    // Released while a claim of it was in flight: no further message will report it.
    const freed = claimable.some((tag) => this.#owners.get(tag)?.claim === '' && this.#readSince(tag, askedAtMs)) // prettier-ignore
    // Another worker was faster: there may be other partitions to claim instead.
    if (freed || refused.includes(true)) await this.#apply()
    const nowMs = clock.monotonicMs()
    const spare = share.release.filter((tag) => nowMs >= (this.#left.untilMs.get(tag) ?? 0))
    const notServed = sessions.length > 1 ? [...this.#owned.keys()].filter((tag) => !this.#serves(tag)) : [] // prettier-ignore
    return [...spare, ...notServed].flatMap((tag) => this.#owned.get(tag) ?? [])
  }

  #noteLeft(claimed: readonly string[], present: readonly string[]): void {
    const sessions = [...present].sort().join(' ')
    if (this.#left.sessions !== sessions) this.#left = { sessions, untilMs: new Map() }
    const { untilMs } = this.#left
    const keptMs = this.#options.clock.monotonicMs() + KEEP_LEFT_MS
    // At first it is given up with the next roster, so that another worker can claim it.
    for (const tag of claimed) untilMs.set(tag, untilMs.has(tag) ? keptMs : 0)
  }

  #serves(tag: string): boolean {
    const partition = parsePartitionTag(tag)
    return partition !== null && this.#options.serves(partition.appId)
  }

  /** Those of these free partitions that no one claimed for too long; looks again when others may be. */
  #overdue(free: readonly string[], id: string, sessions: readonly string[]): string[] {
    const nowMs = this.#options.clock.monotonicMs()
    const known = this.#freeSince
    this.#freeSince = new Map(free.map((tag) => [tag, known.get(tag) ?? nowMs]))
    const leftMs = (tag: string) => {
      const rank = Math.min(rankFor(tag, id, sessions), MAX_RANK)
      return (this.#freeSince.get(tag) ?? nowMs) + FREE_MS * (1 + rank) - nowMs
    }
    const waitMs = Math.min(...free.map(leftMs).filter((ms) => ms > 0))
    clearTimeout(this.#lookAgain)
    if (Number.isFinite(waitMs))
      this.#lookAgain = setTimeout(() => void this.#apply(), waitMs).unref()
    return free.filter((tag) => leftMs(tag) <= 0)
  }

  /**
   * Own claims of this run of Redis, which a lost answer or a former session left, count at once; others
   * once Redis is trusted: a Redis that went back may show a claim that this worker had given up.
   */
  #mayClaim(tag: string): boolean {
    const claim = this.#owners.get(tag)?.claim ?? ''
    return (this.#isOwn(claim) && this.#isOfThisRun(claim)) || this.#options.peers.trusted
  }

  /** Whether the claim was made in this run of Redis: no older snapshot can show it. */
  #isOfThisRun(claim: string): boolean {
    return joinedIn(sessionOf(claim), this.#options.runId())
  }

  /** Whether this process made the claim. `InFlight` has its requests in flight. */
  #isOwn(claim: string): boolean {
    return workerOf(sessionOf(claim)) === this.#options.worker
  }

  /** Whether it has an owner that may still send. */
  #mayBeServed(tag: string): boolean {
    if (this.#owned.has(tag)) return true
    const owner = this.#owners.get(tag)
    // An own claim that is not held was made by a call that got no answer: it can be claimed again.
    if (owner === undefined || owner.claim === '' || this.#isOwn(owner.claim)) return false
    return this.#options.peers.mayAct(sessionOf(owner.claim), owner.seenAtMs)
  }

  /** Whether only a later roster can show if the owner's session has ended. */
  #isUnjudged(tag: string): boolean {
    const owner = this.#owners.get(tag)
    if (owner === undefined || owner.claim === '' || this.#isOwn(owner.claim)) return false
    return this.#options.peers.isUnjudged(sessionOf(owner.claim), owner.seenAtMs)
  }

  /**
   * Whether its owner may act and was seen within a lease. A message to the contrary may have been missed,
   * and a partition that every worker believes to be another's is served by none.
   */
  #isSureOfOwner(tag: string): boolean {
    if (this.#owned.has(tag)) return true
    return this.#mayBeServed(tag) && this.#readSince(tag, this.#options.clock.monotonicMs() - this.#options.leaseMs) // prettier-ignore
  }

  #readSince(tag: string, sinceMs: number): boolean {
    return (this.#owners.get(tag)?.heardAtMs ?? -Infinity) > sinceMs
  }

  #saw(tag: string, claim: string): void {
    const heardAtMs = this.#options.clock.monotonicMs()
    const known = this.#owners.get(tag)
    const seenAtMs = known?.claim === claim ? known.seenAtMs : heardAtMs
    this.#owners.set(tag, { claim, seenAtMs, heardAtMs })
  }

  /** Redis' answer to a question of `askedAtMs`: a message that came since is newer. */
  #read(tag: string, claim: string, askedAtMs: number): void {
    if (!this.#readSince(tag, askedAtMs)) this.#saw(tag, claim)
  }

  async #lookUpOwners(tags: readonly string[]): Promise<void> {
    const askedAtMs = this.#options.clock.monotonicMs()
    const owners = await Promise.all(
      tags.map((tag) =>
        this.#options
          .queueOf(tag)
          .owner()
          .catch(() => null),
      ),
    )
    tags.forEach((tag, i) => {
      const owner = owners[i]
      if (owner !== null && owner !== undefined) this.#read(tag, owner, askedAtMs)
    })
  }

  /**
   * Makes one claim of a partition at a time: a read of the owner can show a claim whose reply is still in
   * flight. Claiming over it would invalidate the claim under which this worker is about to serve.
   * Returns whether another worker turned out to own it.
   */
  async #claimOnce(tag: string, session: string): Promise<boolean> {
    if (this.#claiming.has(tag)) return false
    this.#claiming.add(tag)
    return this.#claim(tag, session).finally(() => this.#claiming.delete(tag))
  }

  async #claim(tag: string, session: string): Promise<boolean> {
    const partition = parsePartitionTag(tag)
    const seen = this.#owners.get(tag)?.claim
    if (!partition || seen === undefined || this.#owned.has(tag)) return false
    const queue = this.#options.queueOf(tag)
    const claim = this.#newClaim(session)
    const askedAtMs = this.#options.clock.monotonicMs()
    // No answer: the claim may stand. It is found again when the owner is looked up.
    const result = await queue.claim(seen, claim, this.#claimDeadline()).catch(() => null)
    if (!result) {
      this.#owners.delete(tag)
      return false
    }
    if (!result.claimed) {
      this.#read(tag, result.owner, askedAtMs)
      return this.#mayBeServed(tag)
    }
    this.#saw(tag, result.owner)
    if (this.#stopped) {
      await queue.release(claim).catch(() => undefined)
      return false
    }
    const current = this.#options.session()
    if (current.id !== session || !current.alive || this.#owned.has(tag)) return false
    if (seen !== '' && !this.#isOwn(seen)) this.#options.onTakeover(tag, seen)
    const window = new PartitionWindow(tag, partition, claim, result.lastSettle)
    this.#owned.set(tag, { window, queue })
    this.#options.onGained(window, queue)
    return false
  }

  /** Not served before the session has joined and claims it once more: see `#mayBeServed`. */
  async #reclaim(tag: string, { claim, isCertain }: FormerClaim, session: string): Promise<void> {
    // Another worker may have claimed it since, in a moment that Redis forgot.
    if (!isCertain && !this.#isOfThisRun(claim)) return
    const queue = this.#options.queueOf(tag)
    const again = (seen: string) =>
      queue.claim(seen, this.#newClaim(session), Number.MAX_SAFE_INTEGER).catch(() => null)
    const first = await again(claim)
    if (first === null || first.claimed || !isCertain) return
    // Redis lost the claim. The present claim is older, unless it was made in this run.
    if (this.#isOfThisRun(first.owner)) return
    await again(first.owner)
  }

  #newClaim(session: string): string {
    this.#claims += 1
    return `${session}:${this.#claims}`
  }

  #claimDeadline(): number {
    return this.#options.redisNowMs() + CLAIM_WITHIN_MS
  }

  async #release(own: Owned): Promise<void> {
    const { window, queue } = own
    if (this.#owned.get(window.tag) !== own) return
    this.#drop(window)
    this.#saw(window.tag, '')
    await queue.release(window.claim).catch(() => this.#owners.delete(window.tag))
  }

  #drop(window: PartitionWindow): void {
    window.lost = true
    this.#owned.delete(window.tag)
    this.#options.onLost(window)
  }

  /** Gives back own claims that are neither served nor in flight: the share is full without them. */
  async #releaseUnused(askedAtMs: number): Promise<void> {
    const { id, alive } = this.#options.session()
    if (!alive) return
    const unused = [...this.#owners].filter(
      ([tag, { claim, heardAtMs }]) =>
        sessionOf(claim) === id &&
        heardAtMs >= askedAtMs &&
        !this.#owned.has(tag) &&
        !this.#claiming.has(tag) &&
        this.#options.inFlight.isFree(tag),
    )
    await Promise.all(
      unused.map(async ([tag, { claim }]) => {
        await this.#options
          .queueOf(tag)
          .release(claim)
          .catch(() => undefined)
        this.#owners.delete(tag)
      }),
    )
  }

  /** A wake-up may be lost: looks into the owned partitions of which everything seems to be loaded. */
  async #lookForChunks(): Promise<void> {
    const loaded = [...this.#owned.values()].filter(({ window }) => this.#seemsLoaded(window))
    await Promise.all(
      loaded.map(async (own) => {
        const waiting = await own.queue.waiting().catch(() => 0)
        if (waiting > own.window.waiting && this.#seemsLoaded(own.window)) this.#look(own)
      }),
    )
  }

  #look({ window, queue }: Owned): void {
    window.stale = true
    this.#options.onGained(window, queue)
  }

  #seemsEmpty(window: PartitionWindow): boolean {
    return !window.hasWork && this.#seemsLoaded(window)
  }

  #seemsLoaded(window: PartitionWindow): boolean {
    return !window.hasUnloaded && !window.lost && this.#options.inFlight.isFree(window.tag)
  }

  /** Takes own partitions that have been empty for a while out of the active set. */
  async #deactivate(redisNowMs: number): Promise<void> {
    const marks = new Map<string, number>()
    for (const { window } of this.#owned.values()) {
      const mark = this.#active.get(window.tag) ?? Infinity
      if (redisNowMs - mark > DEACTIVATE_AFTER_MS && this.#seemsEmpty(window)) {
        marks.set(window.tag, mark)
      }
    }
    // Whether a partition is empty is read in its own slot; the mark is that from before.
    await Promise.all(
      [...marks.keys()].map(async (tag) => {
        const isInactive = await this.#options
          .queueOf(tag)
          .deactivate()
          .catch(() => false)
        if (!isInactive) marks.delete(tag)
      }),
    )
    if (marks.size === 0) return
    await this.#options.deployment.prune(marks, DEACTIVATE_AFTER_MS).catch(() => undefined)
  }
}
