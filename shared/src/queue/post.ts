import type { Element, Lane } from '../element.js'

/** A validated request of a producer, ready to be queued. */
export interface Post {
  readonly appId: string
  readonly lane: Lane
  readonly requestId: string
  /** Wall clock of acceptance, ms since 1970 UTC. */
  readonly acceptedAtMs: number
  /** Last moment at which Redis may store it, Redis ms; absent: only the add's own timeout counts. */
  readonly storeUntilMs?: number
  /** In the order the producer gave; order within one customer is kept. */
  readonly elements: readonly Element[]
  /**
   * Set for a post with an Idempotency-Key: 12 bytes that identify (producer, app id, key) and, if known,
   * 4 bytes with the time of the key's first use, s since 1970 on Redis' clock. A partition stores the
   * elements of one digest once, for all retries within a day of that time.
   */
  readonly digest?: Buffer | undefined
  /** MoEngage project that the elements belong to (`?project_code=`); absent: none was given. */
  readonly projectCode?: string | undefined
  /** Set for a post that is traced: see `Provenance.span`. */
  readonly span?: Buffer | undefined
}

export type StoreOutcome =
  /** Every element is in Redis at the chosen durability. */
  | { readonly outcome: 'stored' }
  /** Certainly nothing was stored; post again later. */
  | { readonly outcome: 'refused'; readonly reason: NotStoredReason }
  /** Some elements may be stored: post again with the same Idempotency-Key. */
  | { readonly outcome: 'unknown'; readonly reason: NotStoredReason }

export type NotStoredReason =
  'redis_unavailable' | 'backlog_full' | 'redis_full' | 'dead_letters_full' | 'durability'

/** Puts posts into the queues of their partitions. */
export interface PostStore {
  /** Never rejects, and answers within the command timeout even if Redis hangs. */
  store(post: Post): Promise<StoreOutcome>
}
