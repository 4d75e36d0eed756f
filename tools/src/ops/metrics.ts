import {
  createIntakeMetrics,
  observeBacklogLimit,
  OUTCOMES,
  ROUTES,
  WARNING_RULES,
} from '@relay/api/observe/metrics.js'
import { BUDGETS } from '@relay/shared/budget/cost.js'
import { systemClock } from '@relay/shared/clock.js'
import { DEAD_LETTER_REASONS } from '@relay/shared/dead-letters/dead-letter.js'
import { KINDS, LANES } from '@relay/shared/element.js'
import { HOLD_REASONS } from '@relay/shared/gate/gate-state.js'
import { observeProcess, RELOAD_RESULTS } from '@relay/shared/observability/process-metrics.js'
import { StateMetrics } from '@relay/shared/observability/state-metrics.js'
import { createWorkerMetrics, OUTCOME_LABELS } from '@relay/worker/observe/metrics.js'
import { Registry } from 'prom-client'
import { table } from '../docs/page.js'

type Service = 'api' | 'worker'

interface CataloguedMetric {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly meaning: string
  readonly from: readonly Service[]
}

/** Every metric of both services, as their registries have them, by name. */
export function metricCatalogue(): readonly CataloguedMetric[] {
  const metrics = new Map<string, CataloguedMetric>()
  for (const service of ['api', 'worker'] as const) {
    for (const metric of registered(service)) {
      const before = metrics.get(metric.name)
      metrics.set(metric.name, { ...metric, from: [...(before?.from ?? []), service] })
    }
  }
  return [...metrics.values()].toSorted((a, b) => a.name.localeCompare(b.name))
}

function registered(service: Service): readonly Omit<CataloguedMetric, 'from'>[] {
  const registry = registryOf(service)
  const found = registry.getMetricsAsArray().map((metric) => {
    // The library's types leave out what every metric has.
    const { name, help, type, labelNames } = metric as unknown as {
      name: string
      help: string
      type: string
      labelNames: readonly string[]
    }
    return { name, type, labels: labelNames.filter((label) => label !== 'le'), meaning: help }
  })
  registry.clear()
  return found
}

/** As the service builds it at its start; nothing is read. */
function registryOf(service: Service): Registry {
  const registry = new Registry()
  observeProcess(registry, service, { faults: [], all: () => [] })
  const read = () => Promise.reject(new Error('not read'))
  new StateMetrics({ registry, read, clock: systemClock, windowMs: 60_000 })
  if (service === 'worker') createWorkerMetrics(registry)
  else {
    createIntakeMetrics(registry)
    observeBacklogLimit(registry, () => 0)
  }
  return registry
}

/** Labels and all the values that they may have. */
const LABELS: readonly (readonly [label: string, values: string])[] = [
  ['`app_id`', 'a configured workspace'],
  ['`kind`', codes(KINDS)],
  ['`lane`', codes(LANES)],
  ['`budget`', `${codes(BUDGETS)}; \`devices\` only if devices have a separate limit`],
  ['`producer`', 'a configured producer, by name'],
  ['`route`', codes(ROUTES)],
  ['`status`', 'an HTTP status that the intake answers'],
  ['`rule`', codes(WARNING_RULES)],
  ['`outcome` of `relay_intake_elements_total`', codes(OUTCOMES)],
  ['`outcome` of `relay_requests_total`', codes(OUTCOME_LABELS)],
  ['`reason` of `relay_dead_lettered_elements_total`', codes(DEAD_LETTER_REASONS)],
  ['`reason` of `relay_workspace_held`', codes(HOLD_REASONS)],
  ['`result`', codes(RELOAD_RESULTS)],
]

const INTRODUCTION = `# Metrics

Made by \`npm run docs:metrics\` from the registries of both services. At \`/metrics\` of \`OPS_PORT\`, without a token; at most 2,150
series a process at 20 workspaces.

**Gauges of what all processes share** (backlog, budgets, holds, workers, Redis) are the same from every process: aggregate with \`max\`, never
\`sum\`. They are read from Redis when scraped; while it is away they keep their last values (the drain
estimate for 15 s), \`relay_redis_up\` is 0 and \`relay_state_age_seconds\` grows. Counters and histograms are each process's own: \`sum\` them.

Counters are there from the start, at 0. A histogram \`x\` has the series \`x_bucket{le}\`, \`x_sum\` and \`x_count\`.`

/** docs/reference/metrics.md, before Prettier. */
export function metricsDocument(metrics: readonly CataloguedMetric[]): string {
  const isOwn = ({ name }: CataloguedMetric) => name.startsWith('relay_')
  return `${[
    INTRODUCTION,
    "## relay's own",
    metricTable(metrics.filter(isOwn)),
    '## Labels',
    'Every label has a closed set of values.',
    table([['label', 'values'], ...LABELS]),
    '## Of Node.js and the process',
    'By prom-client, unchanged but for its misnamed gauges, which are left out.',
    metricTable(metrics.filter((metric) => !isOwn(metric))),
  ].join('\n\n')}\n`
}

function metricTable(metrics: readonly CataloguedMetric[]): string {
  const rows = metrics.map(({ name, type, labels, from, meaning }) => [
    `\`${name}\``,
    type,
    labels.length === 0 ? '–' : codes(labels),
    from.length === 2 ? 'both' : (from[0] ?? ''),
    meaning,
  ])
  return table([['metric', 'type', 'labels', 'from', 'meaning'], ...rows])
}

function codes(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(' ')
}
