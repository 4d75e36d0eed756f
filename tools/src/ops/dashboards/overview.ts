import { CHOSEN, query, RATE, type DashboardSpec } from './panel.js'

/** Outcomes that say: MoEngage, or the way to it, is the trouble. */
const MOENGAGE_TROUBLE =
  'credentials_refused|account_refused|ip_refused|misconfigured|wrong_host|wrong_request|' +
  'everything_refused|rate_limited|' +
  'server_error|request_timeout|too_early|unreadable_answer|timeout|reset|unreachable|tls'

/** Ten seconds at 3 a.m.: is it relay, Redis, MoEngage or a producer? */
export const overview: DashboardSpec = {
  uid: 'relay-overview',
  title: 'relay / Overview',
  about: 'Is it us, Redis, MoEngage or a producer? Read the first row from left to right.',
  rows: [
    {
      title: 'Where is the trouble?',
      panels: [
        {
          title: 'Producers: refused posts',
          about: 'Share of posts answered 4xx. Red: a producer sends what cannot be taken.',
          kind: 'stat',
          unit: 'percentunit',
          limits: [0.01, 0.1],
          queries: [
            query(
              `sum(rate(relay_intake_requests_total{status=~"4.."}[${RATE}])) / (sum(rate(relay_intake_requests_total[${RATE}])) > 0) or vector(0)`,
              'refused',
            ),
          ],
        },
        {
          title: 'relay: intake unavailable',
          about: 'Share of posts answered 5xx. Red: relay or its Redis cannot take posts in.',
          kind: 'stat',
          unit: 'percentunit',
          limits: [0.001, 0.01],
          queries: [
            query(
              `sum(rate(relay_intake_requests_total{status=~"5.."}[${RATE}])) / (sum(rate(relay_intake_requests_total[${RATE}])) > 0) or vector(0)`,
              '5xx',
            ),
          ],
        },
        {
          title: 'Redis',
          about:
            'Whether every process reaches Redis, and whether it has room: from 85 % of its memory on the intake refuses.',
          kind: 'stat',
          unit: 'none',
          limits: [1, 0.75],
          words: { '0': 'DOWN', '0.5': 'FULL', '1': 'up' },
          queries: [
            query(
              'min(relay_redis_up) * (1 - 0.5 * (max(relay_redis_memory_used_bytes) / (max(relay_redis_memory_limit_bytes) > 0) > bool 0.85) or vector(1))',
              'Redis',
            ),
          ],
        },
        {
          title: 'relay: workers alive',
          about: 'Workers with a valid lease. None: nothing is delivered.',
          kind: 'stat',
          unit: 'none',
          limits: [1, 0.5],
          queries: [query('max(relay_workers_alive)', 'alive')],
        },
        {
          title: 'MoEngage: failing requests',
          // Between two probes of what is held there is no request at all.
          about:
            'Share of bulk requests that MoEngage refused or did not answer; all of them while everything is held.',
          kind: 'stat',
          unit: 'percentunit',
          limits: [0.05, 0.5],
          queries: [
            query(
              `sum(rate(relay_requests_total{${CHOSEN},outcome=~"${MOENGAGE_TROUBLE}"}[${RATE}])) / (sum(rate(relay_requests_total{${CHOSEN}}[${RATE}])) > 0) or max(relay_workspace_held{${CHOSEN}}) or vector(0)`,
              'failing',
            ),
          ],
        },
        {
          title: 'Workspaces held',
          about: 'Sending stopped until MoEngage accepts again; nothing is lost meanwhile.',
          kind: 'stat',
          unit: 'none',
          limits: [1, 1],
          queries: [
            query(`sum(max by (app_id, reason) (relay_workspace_held{${CHOSEN}}))`, 'held'),
          ],
        },
      ],
    },
    {
      title: 'Service level',
      panels: [
        {
          title: 'Delivered within 60 s (1 h)',
          about: 'Objective 99 % of realtime elements.',
          kind: 'stat',
          unit: 'percentunit',
          width: 6,
          limits: [0.995, 0.99],
          queries: [
            query(
              `sum(increase(relay_delivery_latency_seconds_bucket{${CHOSEN},lane="realtime",le=~"60([.]0)?"}[1h])) / sum(increase(relay_delivery_latency_seconds_count{${CHOSEN},lane="realtime"}[1h]))`,
              'in time',
            ),
          ],
        },
        {
          title: 'Not dead-lettered (1 h)',
          about: 'Objective 99.9 % of elements.',
          kind: 'stat',
          unit: 'percentunit',
          width: 6,
          limits: [0.9995, 0.999],
          queries: [
            query(
              `1 - sum(increase(relay_dead_lettered_elements_total{${CHOSEN}}[1h])) / (sum(increase(relay_dead_lettered_elements_total{${CHOSEN}}[1h])) + sum(increase(relay_delivered_elements_total{${CHOSEN}}[1h])))`,
              'kept',
            ),
          ],
        },
        {
          title: 'Waiting',
          about: 'Elements that wait, all kinds and lanes.',
          kind: 'stat',
          unit: 'short',
          width: 4,
          queries: [
            query(
              `sum(max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))`,
              'waiting',
            ),
          ],
        },
        {
          title: 'Oldest realtime element',
          about: 'How long the oldest realtime element has waited.',
          kind: 'stat',
          unit: 's',
          width: 4,
          limits: [60, 600],
          queries: [
            query(`max(relay_oldest_element_age_seconds{${CHOSEN},lane="realtime"})`, 'oldest'),
          ],
        },
        {
          title: 'Drained in',
          about: 'When all is sent if nothing more arrives and MoEngage takes it from now on.',
          kind: 'stat',
          unit: 's',
          width: 4,
          limits: [900, 7200],
          queries: [query(`max(relay_drain_eta_seconds{${CHOSEN}})`, 'ETA')],
        },
      ],
    },
    {
      title: 'In, waiting, out',
      panels: [
        {
          title: 'Accepted and delivered',
          about: 'Elements a second. Out below in: the backlog grows.',
          kind: 'lines',
          unit: 'cps',
          queries: [
            query(
              `sum(rate(relay_intake_elements_total{${CHOSEN},outcome="accepted"}[${RATE}]))`,
              'accepted',
            ),
            query(`sum(rate(relay_delivered_elements_total{${CHOSEN}}[${RATE}]))`, 'delivered'),
          ],
        },
        {
          title: 'Backlog by workspace',
          about: 'Elements that wait.',
          kind: 'stacked',
          unit: 'short',
          queries: [
            query(
              `sum by (app_id) (max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))`,
              '{{app_id}}',
            ),
          ],
        },
        {
          title: 'Budget in use',
          about: 'Share of what one window allows. Full with a backlog: MoEngage sets the pace.',
          kind: 'lines',
          unit: 'percentunit',
          queries: [
            query(
              `max by (app_id, budget) (relay_budget_used{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
              '{{app_id}} {{budget}}',
            ),
          ],
        },
      ],
    },
  ],
}
