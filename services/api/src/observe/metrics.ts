import { KINDS, LANES } from '@relay/shared/element.js'
import { RULES, type Rule } from '../validate/rules.js'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export const OUTCOMES = ['accepted', 'rejected', 'unavailable'] as const
/** Where elements come in. */
const POSTING = ['customer', 'event', 'device', 'transition', 'import'] as const
export const ROUTES = [...POSTING, 'requests', 'elsewhere', 'unknown'] as const
/** The common statuses of refused posts, which are preset. */
const PRESET_STATUSES = ['200', '400', '401', '403', '413', '429', '500', '503'] as const
export const WARNING_RULES = Object.entries(RULES).flatMap(([rule, { severity }]) =>
  severity === 'warn' ? [rule] : [],
)

/** The api's own metrics, created once on the given registry. */
export function createIntakeMetrics(registry: Registry) {
  const registers = [registry]
  const elements = new Counter({
    name: 'relay_intake_elements_total',
    help: 'Elements as posted, by outcome at the intake.',
    labelNames: ['app_id', 'kind', 'lane', 'outcome'],
    registers,
  })
  const metrics = {
    elements,
    requests: new Counter({
      name: 'relay_intake_requests_total',
      help: 'Requests of producers by route and status.',
      labelNames: ['route', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'relay_intake_request_duration_seconds',
      help: 'Time from a request to its answer.',
      labelNames: ['route'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    }),
    refusals: new Counter({
      name: 'relay_intake_refusals_total',
      help: 'Faults of refused elements, by rule.',
      labelNames: ['rule'],
      registers,
    }),
    warnings: new Counter({
      name: 'relay_intake_warnings_total',
      help: 'Warnings about accepted elements, by rule.',
      labelNames: ['rule'],
      registers,
    }),
    producerElements: new Counter({
      name: 'relay_intake_producer_elements_total',
      help: 'Elements as posted by producer.',
      labelNames: ['producer'],
      registers,
    }),
  }
  presetClosed(metrics)
  const presetProducers = (producers: readonly string[]): void => {
    for (const producer of producers) metrics.producerElements.inc({ producer }, 0)
  }
  const preset = (appId: string): void => {
    for (const kind of KINDS) {
      for (const lane of LANES) {
        for (const outcome of OUTCOMES) elements.inc({ app_id: appId, kind, lane, outcome }, 0)
      }
    }
  }
  return { ...metrics, preset, presetProducers }
}

/** Presets series with fixed labels to zero. */
function presetClosed(metrics: {
  readonly refusals: Counter<'rule'>
  readonly warnings: Counter<'rule'>
  readonly requests: Counter<'route' | 'status'>
  readonly duration: Histogram<'route'>
}): void {
  for (const [rule, { severity }] of Object.entries<Rule>(RULES)) {
    const counter = severity === 'refuse' ? metrics.refusals : metrics.warnings
    counter.inc({ rule }, 0)
  }
  for (const route of POSTING) {
    metrics.duration.zero({ route })
    for (const status of PRESET_STATUSES) metrics.requests.inc({ route, status }, 0)
  }
}

export type IntakeMetrics = ReturnType<typeof createIntakeMetrics>

/** The backlog limit above which the api answers 503. */
export function observeBacklogLimit(registry: Registry, limitBytes: () => number): void {
  new Gauge({
    name: 'relay_backlog_limit_bytes',
    help: 'Backlog above which the intake answers 503.',
    registers: [registry],
    collect() {
      this.set(limitBytes())
    },
  })
}
