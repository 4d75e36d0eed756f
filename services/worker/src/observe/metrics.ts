import type { Budget } from '@relay/shared/budget/cost.js'
import { KINDS, LANES } from '@relay/shared/element.js'
import { DEAD_LETTER_REASONS } from '@relay/shared/dead-letters/dead-letter.js'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { OUTCOME_LABELS } from '../classify/outcome.js'
import { WeightedHistogram } from './weighted-histogram.js'

export { OUTCOME_LABELS }

/** Few, because each costs a series per workspace and lane; 60 s is the service level objective. */
const LATENCY_BUCKETS_SECONDS = [0.15, 0.5, 2, 10, 60, 600]

/** Devices always travel by themselves. */
export const COALESCED_KINDS = ['user', 'event'] as const
/** Events share an element, but each still costs one. */
export const SAVED_BUDGET: Budget = 'users'

/** Every metric of the worker; made once, on the registry it is given. */
export function createWorkerMetrics(registry: Registry) {
  const metrics = {
    ...requestMetrics([registry]),
    ...gaugeMetrics([registry]),
    ...elementMetrics([registry]),
    ...ownMetrics([registry]),
  }
  for (const kind of COALESCED_KINDS) metrics.coalesced.inc({ kind }, 0)
  /** `expires`: an age limit is set; without one its series are not created. */
  const preset = (appId: string, expires: boolean): void => {
    const reasons = DEAD_LETTER_REASONS.filter((reason) => expires || reason !== 'expired')
    for (const kind of KINDS) {
      for (const lane of LANES) metrics.delivered.inc({ app_id: appId, kind, lane }, 0)
      for (const reason of reasons) {
        metrics.deadLettered.inc({ app_id: appId, kind, reason }, 0)
      }
    }
    for (const outcome of OUTCOME_LABELS) metrics.requests.inc({ app_id: appId, outcome }, 0)
    for (const lane of LANES) metrics.latency.zero({ app_id: appId, lane })
    for (const histogram of [metrics.requestBody, metrics.requestDuration]) {
      histogram.zero({ app_id: appId })
    }
    metrics.possibleDuplicates.inc({ app_id: appId }, 0)
    metrics.budgetSaved.inc({ app_id: appId, budget: SAVED_BUDGET }, 0)
  }
  return { ...metrics, preset }
}

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>

function elementMetrics(registers: Registry[]) {
  return {
    delivered: new Counter({
      name: 'relay_delivered_elements_total',
      help: 'Elements as posted that MoEngage accepted, counted once when settled.',
      labelNames: ['app_id', 'kind', 'lane'],
      registers,
    }),
    shadowed: new Counter({
      name: 'relay_shadowed_elements_total',
      help: 'Elements as posted that were accepted in shadow and dropped instead of sent.',
      labelNames: ['app_id'],
      registers,
    }),
    deadLettered: new Counter({
      name: 'relay_dead_lettered_elements_total',
      help: 'Elements as posted that MoEngage refuses permanently.',
      labelNames: ['app_id', 'kind', 'reason'],
      registers,
    }),
    latency: new WeightedHistogram({
      name: 'relay_delivery_latency_seconds',
      help: 'Time from acceptance to successful delivery.',
      labelNames: ['app_id', 'lane'],
      buckets: LATENCY_BUCKETS_SECONDS,
      registers,
    }),
    coalesced: new Counter({
      name: 'relay_coalesced_elements_total',
      help: 'Delivered elements that shared the element of an earlier one of their customer.',
      labelNames: ['kind'],
      registers,
    }),
    budgetSaved: new Counter({
      name: 'relay_budget_saved_total',
      help: 'Units of budget that delivered elements would have cost more without coalescing.',
      labelNames: ['app_id', 'budget'],
      registers,
    }),
    possibleDuplicates: new Counter({
      name: 'relay_possible_duplicate_elements_total',
      help: 'Elements sent again although an attempt without an answer may have arrived.',
      labelNames: ['app_id'],
      registers,
    }),
  }
}

function requestMetrics(registers: Registry[]) {
  return {
    requests: new Counter({
      name: 'relay_requests_total',
      help: 'Bulk requests by outcome.',
      labelNames: ['app_id', 'outcome'],
      registers,
    }),
    requestBody: new Histogram({
      name: 'relay_request_body_bytes',
      help: 'Size of bulk request bodies.',
      labelNames: ['app_id'],
      buckets: [112e3, 128e3],
      registers,
    }),
    requestElements: new Histogram({
      name: 'relay_request_elements',
      help: 'Elements per bulk request, counted before coalescing.',
      buckets: [1, 3, 10, 30, 100, 200, 300, 400, 600, 1000],
      registers,
    }),
    requestDuration: new Histogram({
      name: 'relay_request_duration_seconds',
      help: 'Time of one attempt, from start to the answer read.',
      labelNames: ['app_id'],
      buckets: [0.3, 1, 3],
      registers,
    }),
  }
}

/** Absent until an answer of MoEngage has the header. */
function gaugeMetrics(registers: Registry[]) {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['app_id'], registers })
  return {
    vendorLimit: gauge(
      'relay_vendor_rate_limit',
      'x-ratelimit-limit of the last answer of MoEngage to this worker.',
    ),
    vendorRemaining: gauge(
      'relay_vendor_rate_limit_remaining',
      'x-ratelimit-remaining of the last answer of MoEngage to this worker.',
    ),
    vendorReset: gauge(
      'relay_vendor_rate_limit_reset_seconds',
      'Seconds until the window resets by x-ratelimit-reset of the last answer to this worker.',
    ),
    customersHeld: new Counter({
      name: 'relay_customers_held_total',
      help: "Customers that this worker held back for MoEngage's per-customer policy. Absent until there is one.",
      labelNames: ['app_id'],
      registers,
    }),
    vendorLimitDiffers: gauge(
      'relay_vendor_rate_limit_differs',
      '1 if the limit that MoEngage advertises equals none of the configured ones.',
    ),
  }
}

function ownMetrics(registers: Registry[]) {
  return {
    partitionsOwned: new Gauge({
      name: 'relay_partitions_owned',
      help: 'Partitions that this worker serves.',
      registers,
    }),
    partitionsUnreadable: new Gauge({
      name: 'relay_partitions_unreadable',
      help: 'Partitions that this worker leaves to newer ones, since they hold chunks of a newer format.',
      registers,
    }),
    takeovers: new Counter({
      name: 'relay_takeovers_total',
      help: 'Partitions taken over from a worker whose lease had expired.',
      registers,
    }),
    partitionsRecovered: new Counter({
      name: 'relay_partitions_recovered_total',
      help: 'Partitions with elements that were missing from the active set and were found again; 0 in health.',
      registers,
    }),
    leaseLosses: new Counter({
      name: 'relay_lease_losses_total',
      help: "Times this worker's lease expired while it ran.",
      registers,
    }),
  }
}
