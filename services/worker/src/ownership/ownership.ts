import type { Deployment, Roster } from '@relay/shared/queue/deployment.js'
import { parsePartitionTag } from '@relay/shared/queue/keys.js'
import { PartitionQueue } from '@relay/shared/queue/partition-queue.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import type { Clock } from '@relay/shared/clock.js'
import { PartitionWindow } from '../fetch/window.js'
import { fairShare } from './fair-share.js'

export interface OwnershipOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly deployment: Deployment
  readonly clock: Clock
  readonly leaseMs: number
  /** This process' session at present, and whether its lease holds. */
  readonly session: () => { id: string; alive: boolean }
  readonly onGained: (window: PartitionWindow, queue: PartitionQueue) => void
  readonly onLost: (window: PartitionWindow) => void
  readonly onTakeover: (tag: string, from: string) => void
  /** A partition is given up because a newer relay wrote what comes next in it. */
  readonly onUnreadable: (tag: string, format: number) => void
  /** An owner's session is not known: fetches a fresh roster, which tells. */
  readonly refresh: () => void
}

/** A partition's claim, '' for none, and when it was first and last heard of, monotonic ms. */
interface SeenOwner {
  readonly claim: string
  readonly seenAtMs: number
  readonly heardAtMs: number
}

interface Owned {
  readonly window: PartitionWindow
  readonly queue: PartitionQueue
}

/** Marks older than this are struck once their partition is empty, ms; adds re-mark every 10 s. */
const CLEAN_AFTER_MS = 30_000

/** How long a partition that this worker cannot read is left to newer ones, ms. */
const LEAVE_UNREADABLE_MS = 10_000

/**
 * Which partitions this worker serves. A partition has one owner, whose claim names a session; it
 * can be claimed when it has none, or when that session is gone from the registry for good.
 */
export class Ownership {
  readonly #o: OwnershipOptions
  readonly #owned = new Map<string, Owned>()
  readonly #owners = new Map<string, SeenOwner>()
  #sessions: ReadonlySet<string> = new Set()
  /** When the roster of these sessions was asked for, monotonic ms. */
  #rosterAskedAtMs = -Infinity
  #dirty = new Set<string>()
  /** Until then only what this worker owned before may be claimed, monotonic ms. */
  #othersNotBeforeMs = -Infinity
  #mine = new Set<string>()
  /** Partitions that only a newer worker can read, and until when they are left to it, monotonic ms. */
  readonly #unreadable = new Map<string, number>()
  /** Claims without an answer yet. */
  readonly #claiming = new Set<string>()
  #claims = 0
  #keepsClaims = false
  #stopped = false

  constructor(options: OwnershipOptions) {
    this.#o = options
  }

  get owned(): ReadonlyMap<string, Owned> {
    return this.#owned
  }

  get sessions(): readonly string[] {
    return [...this.#sessions]
  }

  /**
   * After a restart of Redis, or a step of its clock, the registry may have forgotten claims of
   * its last moments. A worker may then re-claim at once only what it owned itself; anything else
   * a lease later, when every forgotten owner has stopped.
   */
  distrust(): void {
    this.#othersNotBeforeMs = this.#o.clock.monotonicMs() + this.#o.leaseMs
  }

  /** All claims are void, as after a lost lease. */
  dropAll(): void {
    this.#mine = new Set(this.#owned.keys())
    for (const { window } of this.#owned.values()) this.#drop(window)
    this.#owners.clear()
  }

  /** Somebody else owns it, as a refused settle shows. */
  drop(window: PartitionWindow): void {
    this.#drop(window)
    this.#owners.delete(window.tag)
  }

  /**
   * A roster came that was asked for at `askedAtMs`, monotonic: claims what is free, gives up what
   * others should have.
   */
  async balance(roster: Roster, askedAtMs: number): Promise<void> {
    this.#rosterAskedAtMs = askedAtMs
    this.#sessions = new Set(roster.sessions.keys())
    this.#dirty = new Set(roster.dirty)
    for (const tag of this.#owners.keys()) if (!this.#dirty.has(tag)) this.#owners.delete(tag)
    await this.#lookUpOwners([...this.#dirty].filter((tag) => !this.#isSureOfOwner(tag)))
    await this.#apply()
    if ([...this.#dirty].some((tag) => this.#isUnjudged(tag))) this.#o.refresh()
    await this.#clean()
  }

  /** Wake-ups may have been missed: looks into every owned partition. */
  recheck(): void {
    for (const { window, queue } of this.#owned.values()) {
      window.stale = true
      this.#o.onGained(window, queue)
    }
  }

  /** A partition got data while it was empty; `owner` is the claim that serves it, if any. */
  async woken(tag: string, owner: string): Promise<void> {
    const own = this.#owned.get(tag)
    if (own) {
      own.window.stale = true
      this.#o.onGained(own.window, own.queue)
      return
    }
    this.#dirty.add(tag)
    this.#saw(tag, owner)
    if (this.#isUnjudged(tag)) this.#o.refresh()
    else if (!this.#knowsLiveOwner(tag)) await this.#apply()
  }

  /** Gives up everything: what is busy as soon as it is idle. Claims nothing any more. */
  async releaseAll(): Promise<void> {
    this.#stopped = true
    await this.#retire([...this.#owned.values()])
  }

  /** Some of what was given up is nobody's before this worker's lease ends. */
  get keepsClaims(): boolean {
    return this.#keepsClaims
  }

  /** Nothing of the partition is under way any more. */
  async idle(window: PartitionWindow): Promise<void> {
    const own = this.#owned.get(window.tag)
    if (own?.window !== window) return
    const { tag, unreadable } = window
    if (window.isUnreadable && unreadable !== null) {
      this.#unreadable.set(tag, this.#o.clock.monotonicMs() + LEAVE_UNREADABLE_MS)
      this.#o.onUnreadable(tag, unreadable)
    } else if (!window.retiring) return
    await this.#release(own)
  }

  /** Partitions that are left to newer workers for now. */
  get unreadable(): readonly string[] {
    const nowMs = this.#o.clock.monotonicMs()
    return [...this.#unreadable].filter(([, untilMs]) => nowMs < untilMs).map(([tag]) => tag)
  }

  /** Starts nothing new on these; released when idle. */
  async #retire(spare: readonly Owned[]): Promise<void> {
    for (const { window } of spare) window.retiring = true
    await Promise.all(spare.filter((o) => !o.window.busy).map((own) => this.#release(own)))
  }

  async #apply(): Promise<void> {
    const { id, alive } = this.#o.session()
    if (!alive || this.#stopped) return
    const live = new Map<string, string>()
    const left = new Set(this.unreadable)
    const dirty = [...this.#dirty].filter((tag) => !left.has(tag)).sort()
    for (const tag of dirty) {
      if (this.#owned.has(tag)) live.set(tag, id)
      else if (this.#knowsLiveOwner(tag))
        live.set(tag, sessionOf(this.#owners.get(tag)?.claim ?? ''))
    }
    const sessions = this.#sessions.has(id) ? [...this.#sessions] : [...this.#sessions, id]
    const share = fairShare(id, sessions, dirty, live)
    const claimable = share.claim.filter((tag) => this.#mayClaim(tag))
    const askedAtMs = this.#o.clock.monotonicMs()
    const refused = await Promise.all(claimable.map((tag) => this.#claimOnce(tag, id)))
    // Given up while a claim of it was under way: nobody will say so again.
    const freed = claimable.some((tag) => this.#owners.get(tag)?.claim === '' && this.#heardSince(tag, askedAtMs)) // prettier-ignore
    // Another was faster: in place of what it took, there may be others to claim.
    if (freed || refused.includes(true)) await this.#apply()
    const spare = share.release.flatMap((tag) => this.#owned.get(tag) ?? [])
    await this.#retire(spare)
  }

  #mayClaim(tag: string): boolean {
    const waiting = this.#o.clock.monotonicMs() < this.#othersNotBeforeMs
    return !waiting || this.#mine.has(tag)
  }

  /** Whether it has an owner that lives, or that nobody can say to be dead yet. */
  #knowsLiveOwner(tag: string): boolean {
    if (this.#owned.has(tag)) return true
    const session = sessionOf(this.#owners.get(tag)?.claim ?? '')
    // An own claim that is not held was made by a call that got no answer: it can be claimed anew.
    if (session === '' || session === this.#o.session().id) return false
    return this.#sessions.has(session) || this.#isUnjudged(tag)
  }

  /**
   * Whether its owner was first seen after the roster was asked for, and is not in it: the session
   * may have joined since. Only a later roster tells whether it is gone; taking over before would
   * leave the partition with two owners that both live.
   */
  #isUnjudged(tag: string): boolean {
    const owner = this.#owners.get(tag)
    if (owner === undefined || this.#owned.has(tag)) return false
    const session = sessionOf(owner.claim)
    if (session === '' || session === this.#o.session().id) return false
    return !this.#sessions.has(session) && owner.seenAtMs > this.#rosterAskedAtMs
  }

  /**
   * Whether its owner lives and was heard of within a lease: a message that says otherwise may have
   * been missed, and nobody serves a partition that every worker takes for another's.
   */
  #isSureOfOwner(tag: string): boolean {
    if (this.#owned.has(tag)) return true
    return this.#knowsLiveOwner(tag) && this.#heardSince(tag, this.#o.clock.monotonicMs() - this.#o.leaseMs) // prettier-ignore
  }

  #heardSince(tag: string, sinceMs: number): boolean {
    return (this.#owners.get(tag)?.heardAtMs ?? -Infinity) > sinceMs
  }

  #saw(tag: string, claim: string): void {
    const heardAtMs = this.#o.clock.monotonicMs()
    const known = this.#owners.get(tag)
    const seenAtMs = known?.claim === claim ? known.seenAtMs : heardAtMs
    this.#owners.set(tag, { claim, seenAtMs, heardAtMs })
  }

  /** Redis' answer to a question of `askedAtMs`: a message that came since is newer. */
  #wasTold(tag: string, claim: string, askedAtMs: number): void {
    if (!this.#heardSince(tag, askedAtMs)) this.#saw(tag, claim)
  }

  async #lookUpOwners(tags: readonly string[]): Promise<void> {
    const { client, prefix, clock } = this.#o
    const askedAtMs = clock.monotonicMs()
    const owners = await Promise.all(
      tags.map((tag) => new PartitionQueue(client, prefix, tag).owner().catch(() => null)),
    )
    tags.forEach((tag, i) => {
      const owner = owners[i]
      if (owner !== null && owner !== undefined) this.#wasTold(tag, owner, askedAtMs)
    })
  }

  /**
   * One claim of a partition at a time: a look at the owner can show a claim whose answer is still
   * on its way. Claiming over that would void what this worker is about to serve under it.
   * Returns whether somebody else turned out to own it.
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
    const queue = new PartitionQueue(this.#o.client, this.#o.prefix, tag)
    this.#claims += 1
    const claim = `${session}:${String(this.#claims)}`
    const askedAtMs = this.#o.clock.monotonicMs()
    // No answer: the claim may stand. It is found again when the owner is looked up.
    const result = await queue.claim(seen, claim).catch(() => null)
    if (!result) {
      this.#owners.delete(tag)
      return false
    }
    if (!result.claimed) {
      this.#wasTold(tag, result.owner, askedAtMs)
      return this.#knowsLiveOwner(tag)
    }
    this.#saw(tag, result.owner)
    const current = this.#o.session()
    if (current.id !== session || !current.alive || this.#owned.has(tag)) return false
    if (seen !== '') this.#o.onTakeover(tag, seen)
    const window = new PartitionWindow(tag, partition, claim)
    this.#owned.set(tag, { window, queue })
    this.#o.onGained(window, queue)
    return false
  }

  async #release({ window, queue }: Owned): Promise<void> {
    this.#drop(window)
    if (window.mayStray) {
      this.#keepsClaims = true
      return
    }
    this.#saw(window.tag, '')
    await queue.release(window.claim).catch(() => {
      this.#owners.delete(window.tag)
    })
  }

  #drop(window: PartitionWindow): void {
    window.lost = true
    this.#owned.delete(window.tag)
    this.#o.onLost(window)
  }

  /** Strikes own partitions that are empty from the list of those with data. */
  async #clean(): Promise<void> {
    const empty = [...this.#owned.values()]
      .map(({ window }) => window)
      .filter((w) => !w.hasWork && !w.busy && this.#dirty.has(w.tag))
    if (empty.length === 0) return
    const tags = empty.map((window) => window.tag)
    await this.#o.deployment.clean(tags, CLEAN_AFTER_MS).catch(() => undefined)
  }
}

function sessionOf(claim: string): string {
  return claim.slice(0, claim.lastIndexOf(':'))
}
