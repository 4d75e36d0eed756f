import { createIntakeMetrics, observeBacklogLimit } from '@relay/api/observe/metrics.js'
import { systemClock } from '@relay/shared/clock.js'
import { observeProcess } from '@relay/shared/observability/process-metrics.js'
import { StateMetrics } from '@relay/shared/observability/state-metrics.js'
import { createWorkerMetrics } from '@relay/worker/observe/metrics.js'
import { Registry } from 'prom-client'

type Service = 'api' | 'worker'

export interface CataloguedMetric {
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
  observeProcess(registry, service, { faulty: false, all: () => [] })
  const read = () => Promise.reject(new Error('not read'))
  new StateMetrics({ registry, read, clock: systemClock, windowMs: 60_000 })
  if (service === 'worker') createWorkerMetrics(registry)
  else {
    createIntakeMetrics(registry)
    observeBacklogLimit(registry, () => 0)
  }
  return registry
}
