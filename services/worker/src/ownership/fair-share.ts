import { createHash } from 'node:crypto'

export interface Share {
  /** Partitions to claim, best first. */
  readonly claim: readonly string[]
  /** Free partitions beyond the share: those that others should claim. */
  readonly rest: readonly string[]
  /** Partitions to release, for others to claim. */
  readonly release: readonly string[]
}

/**
 * Partitions that a session should claim or release, so that all sessions end with a fair share of those
 * with data and no partition moves without need. `owners` maps a tag to its live owner's session; tags
 * without one are free. Ties break by rendezvous hash, so that sessions rarely choose the same.
 */
export function fairShare(
  self: string,
  sessions: readonly string[],
  active: readonly string[],
  owners: ReadonlyMap<string, string>,
): Share {
  const rank = (tag: string) => weight(self, tag)
  const byRank = (tags: string[]) => tags.sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1))
  const own = byRank(active.filter((tag) => owners.get(tag) === self))
  const free = byRank(active.filter((tag) => owners.get(tag) === undefined))
  const low = Math.floor(active.length / Math.max(1, sessions.length))
  const most = Math.ceil(active.length / Math.max(1, sessions.length))
  const wanted = Math.max(0, most - own.length)
  const others = sessions.filter((session) => session !== self)
  const needy = others.some((session) => count(owners, active, session) < low)
  const spare = own.length > most || (own.length > low && needy)
  return {
    claim: free.slice(0, wanted),
    rest: free.slice(wanted),
    release: spare && others.length > 0 ? own.slice(own.length > most ? most : low) : [],
  }
}

function count(owners: ReadonlyMap<string, string>, tags: readonly string[], session: string) {
  return tags.filter((tag) => owners.get(tag) === session).length
}

/** How many of these sessions come before `self` for a partition: 0 is the first. */
export function rankFor(tag: string, self: string, sessions: readonly string[]): number {
  const own = weight(self, tag)
  return sessions.filter((session) => session !== self && weight(session, tag) >= own).length
}

/** Rendezvous weight of a session for a tag, 32 bits. */
function weight(session: string, tag: string): number {
  return createHash('sha1').update(`${session} ${tag}`).digest().readUInt32LE(0)
}
