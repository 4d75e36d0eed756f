/** The client that waits for the answer to a request. */
export interface Caller {
  /** The connection is closed: no one can be answered. */
  readonly hasLeft: boolean
  /** Calls `leave` once if the client leaves while its request waits. Returns how to stop that. */
  onLeave(leave: () => void): () => void
}

/** For work that has to end whether or not the client still waits. */
export const STAYS: Caller = { hasLeft: false, onLeave: () => () => undefined }
