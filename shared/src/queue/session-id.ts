import { createHash } from 'node:crypto'

/*
 * A session's id is `<worker>.<join>@<run>`: the process, how often it has joined, and a digest of the
 * run of Redis that it joined in. A claim is `<session>:<number>`.
 */

export function newSessionId(worker: string, join: number, runId: string): string {
  return `${worker}.${join}@${runDigest(runId)}`
}

export function workerOf(session: string): string {
  return session.slice(0, session.lastIndexOf('.'))
}

/** Whether a session joined in this run of Redis. Sessions of an older relay name none. */
export function joinedIn(session: string, runId: string): boolean {
  return runId !== '' && session.endsWith(`@${runDigest(runId)}`)
}

/** The session that made a claim, '' for none. */
export function sessionOf(claim: string): string {
  return claim.slice(0, claim.lastIndexOf(':'))
}

/** Digest of a run of Redis in 8 hex digits, because in a Cluster the run id grows with the masters. */
export function runDigest(runId: string): string {
  return createHash('sha1').update(runId).digest('hex').slice(0, 8)
}
