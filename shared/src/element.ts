/** Kind of an element; decides the budget that it is charged to. */
export const KINDS = ['user', 'event', 'device'] as const
export type Kind = (typeof KINDS)[number]

/** Elements of all kinds. */
export function totalOf(counts: Readonly<Record<Kind, number>>): number {
  return KINDS.reduce((sum, kind) => sum + counts[kind], 0)
}

/** Two separately ordered streams; backfill uses the budget that realtime leaves. */
export const LANES = ['realtime', 'backfill'] as const
export type Lane = (typeof LANES)[number]

/** One user update, event or device on its way to MoEngage. */
export interface Element {
  readonly kind: Kind
  /** UTF-8 JSON exactly as it will stand in the bulk body: never parsed and written again. */
  readonly json: Buffer
  /** Budget units: entries of `actions` for an event, 1 for a user or device. */
  readonly cost: number
  /** `customerKey` of identity.ts: equal for all elements of one customer. */
  readonly customer: string
  /**
   * Number of elements *as posted* that are settled with this one: 1, or 0 for every part but the last
   * of an event that intake split because it had too many actions.
   */
  readonly posted: 0 | 1
}

/** Where an element came from; it stays traceable to this until it is delivered. */
export interface Provenance {
  readonly requestId: string
  /** Wall clock of acceptance, ms since 1970 UTC. */
  readonly acceptedAtMs: number
  /** MoEngage project of a Portfolio workspace; absent: the post named none. */
  readonly projectCode?: string | undefined
  /** Where its post is traced: the context of the post's span, as `packSpan` writes it. */
  readonly span?: Buffer | undefined
}
