import { RATE, lines, rows, stacked, type DashboardSpec } from './panel.js'

const RELAY = 'job=~"relay-(api|worker)"'

export const runtime: DashboardSpec = {
  uid: 'relay-runtime',
  title: 'relay / Redis and runtime',
  about: 'Runtime and Redis health: Redis, workers, processes.',
  rows: rows({
    Redis: [
      lines('Memory', 'bytes', 'At the limit Redis refuses writes; intake stops well below.', {
        used: 'max(relay_redis_memory_used_bytes)',
        'maxmemory (0: none)': 'max(relay_redis_memory_limit_bytes)',
        backlog: 'sum(max by (app_id) (relay_backlog_bytes))',
      }),
      lines(
        'Time of one command',
        's',
        'As each process measured it. Over 10 ms everything slows down.',
        { '{{job}} {{instance}}': 'relay_redis_command_seconds' },
      ),
      lines(
        'Safe settings',
        'none',
        'All must be 1: append-only file on and written, no eviction, reachable.',
        {
          reachable: 'min(relay_redis_up)',
          'append-only file': 'min(relay_redis_aof_enabled)',
          written: 'min(relay_redis_aof_ok)',
          noeviction: 'min(relay_redis_noeviction)',
          'rewriting now': 'max(relay_redis_aof_rewriting)',
        },
      ),
    ],
    Workers: [
      lines(
        'Wanted and alive',
        'none',
        'More than wanted is waste; fewer for long means slow delivery.',
        { wanted: 'max(relay_workers_wanted)', alive: 'max(relay_workers_alive)' },
      ),
      stacked('Partitions served', 'none', 'By worker: about the same number each.', {
        '{{instance}}': 'relay_partitions_owned',
      }),
      lines(
        'Takeovers and lost leases',
        'cps',
        'A worker died, or was stopped for longer than its lease.',
        {
          takeovers: `sum(rate(relay_takeovers_total[${RATE}]))`,
          'lost leases': `sum(rate(relay_lease_losses_total[${RATE}]))`,
        },
      ),
    ],
    Processes: [
      lines(
        'Up',
        'none',
        'Processes that Prometheus reaches.',
        { '{{job}}': `sum by (job) (up{${RELAY}})` },
        { width: 6 },
      ),
      lines(
        'CPU',
        'none',
        'Cores in use; one event loop uses at most about one.',
        { '{{job}} {{instance}}': `rate(process_cpu_seconds_total{${RELAY}}[${RATE}])` },
        { width: 6 },
      ),
      lines(
        'Resident memory',
        'bytes',
        'Bytes of each process.',
        { '{{job}} {{instance}}': `process_resident_memory_bytes{${RELAY}}` },
        { width: 6 },
      ),
      lines(
        'Event loop lag',
        's',
        'p99. Near the lease, a worker loses its partitions.',
        { '{{job}} {{instance}}': `nodejs_eventloop_lag_p99_seconds{${RELAY}}` },
        { width: 6 },
      ),
      lines(
        'Versions',
        'none',
        'Two at once only during a rollout.',
        { '{{service}} {{version}}': 'sum by (service, version) (relay_build_info)' },
        { width: 12 },
      ),
      lines(
        'Age of shared values',
        's',
        'How old what a process reports of Redis is.',
        { '{{job}} {{instance}}': 'relay_state_age_seconds' },
        { width: 12 },
      ),
    ],
  }),
}
