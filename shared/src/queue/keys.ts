import { LANES, type Lane } from '../element.js'

/** One ordered queue: all elements of its customers, of one workspace and lane. */
export interface Partition {
  readonly appId: string
  readonly lane: Lane
  /** Grows by one whenever the number of partitions changes. */
  readonly generation: number
  readonly index: number
}

/** Name of a partition in Redis keys, wake-ups and logs, e.g. `APP1/realtime/0/3`. */
export function partitionTag({ appId, lane, generation, index }: Partition): string {
  return `${appId}/${lane}/${generation}/${index}`
}

/** The partition of a tag; null for an invalid tag. */
export function parsePartitionTag(tag: string): Partition | null {
  const [appId = '', laneText, generation, index] = tag.split('/')
  const lane = LANES.find((l) => l === laneText)
  if (lane === undefined || generation === undefined || index === undefined) return null
  return { appId, lane, generation: Number(generation), index: Number(index) }
}

/** BullMQ's queue name; its braces put all keys of a partition into one cluster slot. */
export function queueName(tag: string): string {
  return `{${tag}}`
}

/** Redis keys of a partition: BullMQ's own, and relay's in the same slot. */
export function partitionKeys(prefix: string, tag: string) {
  const base = `${prefix}:${queueName(tag)}`
  return {
    /** BullMQ's prefix of a job's id. */
    job: `${base}:`,
    wait: `${base}:wait`,
    paused: `${base}:paused`,
    meta: `${base}:meta`,
    id: `${base}:id`,
    completed: `${base}:completed`,
    delayed: `${base}:delayed`,
    active: `${base}:active`,
    events: `${base}:events`,
    marker: `${base}:marker`,
    /** Hash: owner, closed, and backlog (bytes, user, event, device, actions). */
    control: `${base}:relay`,
    /** Hash of digests of keyed posts stored here on a day. */
    seen: (day: number) => `${base}:seen:${day}`,
  }
}

/** Redis keys of a workspace: its budgets and gate share one slot. */
export function workspaceKeys(prefix: string, appId: string) {
  const base = `${prefix}:{${appId}}`
  return {
    layout: `${base}:layout`,
    gate: `${base}:gate`,
    ledger: `${base}:ledger`,
    ledgerExpiry: `${base}:ledger:expiry`,
    ledgerCost: `${base}:ledger:cost`,
    ledgerWaiters: `${base}:ledger:waiters`,
    ledgerOpen: `${base}:ledger:open`,
    ledgerRecovery: `${base}:ledger:recovery`,
    /** Hash: learned limits of the workspace (ceiling, adaptation). */
    learned: `${base}:learned`,
    /** Sorted set: sketches of customers' units, by until when each is in use. */
    customerSketches: `${base}:customers`,
    /** Customers that have to wait: a sorted set by until when they are shown, and a hash of their times. */
    customersHeld: `${base}:customers:held`,
    customersHeldTimes: `${base}:customers:held:times`,
    /** Hash: units of one customer, by window and part of it. */
    customerCounts: (customerHex: string) => `${base}:customer:${customerHex}`,
    /** Hash: names of events and attributes that the workspace was sent. */
    names: `${base}:names`,
    /** Hash: shadow report of the workspace. */
    shadow: `${base}:shadow`,
    idempotency: (day: number) => `${base}:idempotency:${day}`,
    /** A producer's use of its quotas: a hash, and per lane the bytes posted over time. */
    quota: (producer: string) => `${base}:quota:${producer}`,
    deadLetters: `${base}:dead`,
    /** Prefix of a minute: fate of the requests accepted in it. */
    traces: `${base}:trace:`,
    traceBytes: `${base}:trace:kept`,
    traceProducers: `${base}:trace:producers`,
  }
}

/** Redis keys of the deployment: sessions and the partitions with data share one slot. */
export function deploymentKeys(prefix: string) {
  const base = `${prefix}:{deployment}`
  return {
    sessions: `${base}:sessions`,
    run: `${base}:run`,
    /** Named by its former name: workers of an older relay read it, too. */
    active: `${base}:dirty`,
    /** Pub/sub channel: `wake` of a partition, `gate` of a workspace. */
    wake: `${base}:wake`,
    /** Stream: changes by operators. */
    audit: `${base}:audit`,
    /** Hash of id to record: requested erasures. */
    erasures: `${base}:erasures`,
    /** Hash: workers that confirmed an erasure, and the number of erased elements. */
    erasure: (id: string) => `${base}:erasure:${id}`,
    /** Zset: waves of replays that may still store. */
    waves: `${base}:replay-waves`,
    /** Zset: customers whose dead letters no wave may put back. */
    bars: `${base}:replay-bars`,
    /** The key that customers' names in logs are made with. */
    pseudonyms: `${base}:pseudonyms`,
    /** Hash: the last decision on the number of workers. */
    scale: `${base}:scale`,
  }
}
