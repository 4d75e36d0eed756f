import { collectDefaultMetrics, Counter, Gauge, type Registry } from 'prom-client'
import type { WorkspaceDirectory } from '../config/workspace-directory.js'
import { VERSION } from '../version.js'

/**
 * Default metrics that are left out: gauges named `…_total`, which `promtool check metrics` refuses;
 * those with a label of an open set, because series are bounded; and some without operational use.
 */
const LEFT_OUT = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_heap_space_size_available_bytes',
  'nodejs_heap_space_size_total_bytes',
  'nodejs_heap_space_size_used_bytes',
  'nodejs_eventloop_lag_min_seconds',
  'nodejs_eventloop_lag_stddev_seconds',
]
/** Seconds, times the kinds of collection; the library's default has one bucket more. */
const GC_BUCKETS_SECONDS = [0.1, 1]
export const RELOAD_RESULTS = ['changed', 'refused'] as const
export type ReloadResult = (typeof RELOAD_RESULTS)[number]

/** Registers the metrics of every process. Returns the counter of reloads of the workspaces file. */
export function observeProcess(
  registry: Registry,
  service: 'api' | 'worker',
  workspaces: Pick<WorkspaceDirectory, 'faults' | 'all'>,
): (result: ReloadResult) => void {
  collectDefaultMetrics({ register: registry, gcDurationBuckets: GC_BUCKETS_SECONDS })
  for (const name of LEFT_OUT) registry.removeSingleMetric(name)
  const registers = [registry]
  new Gauge({
    name: 'relay_build_info',
    help: 'Always 1; the labels identify the build.',
    labelNames: ['service', 'version', 'node'],
    registers,
  }).set({ service, version: VERSION, node: process.version }, 1)
  new Gauge({
    name: 'relay_workspaces_configured',
    help: 'Number of configured workspaces.',
    registers,
    collect() {
      this.set(workspaces.all().length)
    },
  })
  new Gauge({
    name: 'relay_workspaces_file_faulty',
    help: 'Whether the workspaces file cannot be used; the last good one stays in force.',
    registers,
    collect() {
      this.set(workspaces.faults.length > 0 ? 1 : 0)
    },
  })
  const reloads = new Counter({
    name: 'relay_config_reloads_total',
    help: 'Changes of the workspaces file that were noticed, by result.',
    labelNames: ['result'],
    registers,
  })
  for (const result of RELOAD_RESULTS) reloads.inc({ result }, 0)
  return (result) => {
    reloads.inc({ result })
  }
}
