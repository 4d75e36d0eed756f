/** How all producers behave at present; faults change it. */
export interface Mood {
  /** Share of poison among the elements. */
  poisonShare: number
  /** Share of posts that are sent again, with the same key, before their answer is there. */
  impatientShare: number
  /** No producer posts. */
  quiet: boolean
}
