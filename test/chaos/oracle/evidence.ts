import type { Arrived, Disturbance, Evidence, Kind, Posted, VendorRequest } from './model.js'

export const LIMITS = { users: 100, events: 100, windowMs: 1_000, bodyBytes: 1_000 }

/** Elements 1 to `count` of a customer, all acknowledged. */
export function posted(customer: string, count: number, kind: Kind = 'user'): Posted[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ customer, seq: i + 1, kind, poison: false, acknowledged: true },
    ...{ postedAtMs: 0, acknowledgedAtMs: 0 },
  }))
}

export function arrivals(customer: string, seqs: readonly number[], requestId = 'r1'): Arrived[] {
  return seqs.map((seq) => ({ customer, seq, kind: 'user', last: seq, requestId }))
}

export function request(facts: Partial<VendorRequest> = {}): VendorRequest {
  return {
    requestId: 'r1',
    startedAtMs: 0,
    arrivedAtMs: 10,
    endedAtMs: 20,
    fate: 'accepted',
    status: 200,
    fault: null,
    bytes: 500,
    cost: { users: 1, events: 1, devices: 0 },
    customers: ['ann'],
    ...facts,
  }
}

export function disturbance(facts: Partial<Disturbance> = {}): Disturbance {
  return { name: 'fault', fromMs: 0, toMs: 10, loses: 'both', mayLinger: false, ...facts }
}

export function evidence(facts: Partial<Evidence> = {}): Evidence {
  return {
    posted: [],
    arrived: [],
    requests: [],
    disturbances: [],
    deadLetters: [],
    limits: LIMITS,
    samples: [],
    erasures: [],
    forgets: [],
    settleWithinMs: 0,
    healedAtMs: null,
    leaseMs: 2_000,
    requestTimeoutMs: 1_500,
    ...facts,
  }
}
