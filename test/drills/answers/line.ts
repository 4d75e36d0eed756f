/** What was seen, by where: `status`, `console`, `log`, `alert` … */
export type Seen = Readonly<Record<string, string>>

/** One or more lines of the review, tried again. */
export interface Line {
  /** Numbers in the review. */
  readonly lines: readonly number[]
  /** What the review saw. */
  readonly before: string
  readonly see: () => Promise<Seen>
}
