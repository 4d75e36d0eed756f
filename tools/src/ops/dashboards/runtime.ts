import { query, RATE, type DashboardSpec } from './panel.js'

const RELAY = 'job=~"relay-(api|worker)"'

export const runtime: DashboardSpec = {
  uid: 'relay-runtime',
  title: 'relay / Redis and runtime',
  about: 'Runtime and Redis health: Redis, workers, processes.',
  rows: [
    {
      title: 'Redis',
      panels: [
        {
          title: 'Memory',
          about: 'At the limit Redis refuses writes; intake stops well below.',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            query('max(relay_redis_memory_used_bytes)', 'used'),
            query('max(relay_redis_memory_limit_bytes)', 'maxmemory (0: none)'),
            query('sum(max by (app_id) (relay_backlog_bytes))', 'backlog'),
          ],
        },
        {
          title: 'Time of one command',
          about: 'As each process measured it. Over 10 ms everything slows down.',
          kind: 'lines',
          unit: 's',
          queries: [query('relay_redis_command_seconds', '{{job}} {{instance}}')],
        },
        {
          title: 'Safe settings',
          about: 'All must be 1: append-only file on and written, no eviction, reachable.',
          kind: 'lines',
          unit: 'none',
          queries: [
            query('min(relay_redis_up)', 'reachable'),
            query('min(relay_redis_aof_enabled)', 'append-only file'),
            query('min(relay_redis_aof_ok)', 'written'),
            query('min(relay_redis_noeviction)', 'noeviction'),
            query('max(relay_redis_aof_rewriting)', 'rewriting now'),
          ],
        },
      ],
    },
    {
      title: 'Workers',
      panels: [
        {
          title: 'Wanted and alive',
          about: 'More than wanted is waste; fewer for long means slow delivery.',
          kind: 'lines',
          unit: 'none',
          queries: [
            query('max(relay_workers_wanted)', 'wanted'),
            query('max(relay_workers_alive)', 'alive'),
          ],
        },
        {
          title: 'Partitions served',
          about: 'By worker: about the same number each.',
          kind: 'stacked',
          unit: 'none',
          queries: [query('relay_partitions_owned', '{{instance}}')],
        },
        {
          title: 'Takeovers and lost leases',
          about: 'A worker died, or was stopped for longer than its lease.',
          kind: 'lines',
          unit: 'cps',
          queries: [
            query(`sum(rate(relay_takeovers_total[${RATE}]))`, 'takeovers'),
            query(`sum(rate(relay_lease_losses_total[${RATE}]))`, 'lost leases'),
          ],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'Up',
          about: 'Processes that Prometheus reaches.',
          kind: 'lines',
          unit: 'none',
          width: 6,
          queries: [query(`sum by (job) (up{${RELAY}})`, '{{job}}')],
        },
        {
          title: 'CPU',
          about: 'Cores in use; one event loop uses at most about one.',
          kind: 'lines',
          unit: 'none',
          width: 6,
          queries: [
            query(`rate(process_cpu_seconds_total{${RELAY}}[${RATE}])`, '{{job}} {{instance}}'),
          ],
        },
        {
          title: 'Resident memory',
          about: 'Bytes of each process.',
          kind: 'lines',
          unit: 'bytes',
          width: 6,
          queries: [query(`process_resident_memory_bytes{${RELAY}}`, '{{job}} {{instance}}')],
        },
        {
          title: 'Event loop lag',
          about: 'p99. Near the lease, a worker loses its partitions.',
          kind: 'lines',
          unit: 's',
          width: 6,
          queries: [query(`nodejs_eventloop_lag_p99_seconds{${RELAY}}`, '{{job}} {{instance}}')],
        },
        {
          title: 'Versions',
          about: 'Two at once only during a rollout.',
          kind: 'lines',
          unit: 'none',
          width: 12,
          queries: [
            query('sum by (service, version) (relay_build_info)', '{{service}} {{version}}'),
          ],
        },
        {
          title: 'Age of shared values',
          about: 'How old what a process reports of Redis is.',
          kind: 'lines',
          unit: 's',
          width: 12,
          queries: [query('relay_state_age_seconds', '{{job}} {{instance}}')],
        },
      ],
    },
  ],
}
