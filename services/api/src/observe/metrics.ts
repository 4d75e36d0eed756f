import { KINDS, LANES } from '@relay/shared/element.js'
import { RULES, type Rule } from '../validate/rules.js'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const OUTCOMES = ['accepted', 'rejected', 'unavailable'] as const

/** Every metric of the api that is its own; made once, on the registry it is given. */
export function createIntakeMetrics(registry: Registry) {
  const registers = [registry]
  const elements = new Counter({
    name: 'relay_intake_elements_total',
    help: 'Elements as posted, by what the intake did with them.',
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
      help: 'Faults of elements that were refused, by rule.',
      labelNames: ['rule'],
      registers,
    }),
    warnings: new Counter({
      name: 'relay_intake_warnings_total',
      help: 'Doubtful elements that were accepted, by rule.',
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
  const presetProducers = (producers: readonly string[]): void => {
    for (const producer of producers) metrics.producerElements.inc({ producer }, 0)
  }
  for (const [rule, { severity }] of Object.entries<Rule>(RULES)) {
    const counter = severity === 'refuse' ? metrics.refusals : metrics.warnings
    counter.inc({ rule }, 0)
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

export type IntakeMetrics = ReturnType<typeof createIntakeMetrics>

/** What the api takes in at most before it answers 503. */
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
