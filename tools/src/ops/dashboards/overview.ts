import { CHOSEN, RATE, lines, rows, stacked, stat, type DashboardSpec } from './panel.js'

/** Outcomes that say: MoEngage, or the way to it, is the trouble. */
const MOENGAGE_TROUBLE =
  'credentials_refused|account_refused|ip_refused|misconfigured|wrong_host|wrong_request|' +
  'everything_refused|some_refused|rate_limited|' +
  'server_error|request_timeout|too_early|unreadable_answer|timeout|reset|' +
  'unresolvable|connection_refused|unreachable|certificate|tls'

/** Ten seconds at 3 a.m.: is it relay, Redis, MoEngage or a producer? */
export const overview: DashboardSpec = {
  uid: 'relay-overview',
  title: 'relay / Overview',
  about: 'Is it us, Redis, MoEngage or a producer? Read the first row from left to right.',
  rows: rows({
    'Where is the trouble?': [
      stat(
        'Producers: refused posts',
        'percentunit',
        'Share of posts answered 4xx. Red: a producer sends what cannot be taken.',
        {
          refused: `sum(rate(relay_intake_requests_total{status=~"4.."}[${RATE}])) / (sum(rate(relay_intake_requests_total[${RATE}])) > 0) or vector(0)`,
        },
        { limits: [0.01, 0.1] },
      ),
      stat(
        'relay: intake unavailable',
        'percentunit',
        'Share of posts answered 5xx. Red: relay or its Redis cannot take posts in.',
        {
          '5xx': `sum(rate(relay_intake_requests_total{status=~"5.."}[${RATE}])) / (sum(rate(relay_intake_requests_total[${RATE}])) > 0) or vector(0)`,
        },
        { limits: [0.001, 0.01] },
      ),
      stat(
        'Redis',
        'none',
        'Whether every process reaches Redis, and whether it has room: from 85 % of its memory on the intake refuses.',
        {
          Redis:
            'min(relay_redis_up) * (1 - 0.5 * (max(relay_redis_memory_used_bytes) / (max(relay_redis_memory_limit_bytes) > 0) > bool 0.85) or vector(1))',
        },
        { limits: [1, 0.75], words: { '0': 'DOWN', '0.5': 'FULL', '1': 'up' } },
      ),
      stat(
        'relay: workers alive',
        'none',
        'Workers with a valid lease. None: nothing is delivered.',
        { alive: 'max(relay_workers_alive)' },
        { limits: [1, 0.5] },
      ),
      // Between two probes of what is held there is no request at all.
      stat(
        'MoEngage: failing requests',
        'percentunit',
        'Share of bulk requests that MoEngage refused or did not answer; all of them while everything is held.',
        {
          failing: `sum(rate(relay_requests_total{${CHOSEN},outcome=~"${MOENGAGE_TROUBLE}"}[${RATE}])) / (sum(rate(relay_requests_total{${CHOSEN}}[${RATE}])) > 0) or max(relay_workspace_held{${CHOSEN}}) or vector(0)`,
        },
        { limits: [0.05, 0.5] },
      ),
      stat(
        'Workspaces held',
        'none',
        'Sending stopped until MoEngage accepts again; nothing is lost meanwhile.',
        { held: `sum(max by (app_id, reason) (relay_workspace_held{${CHOSEN}}))` },
        { limits: [1, 1] },
      ),
    ],
    'Service level': [
      stat(
        'Delivered within 60 s (1 h)',
        'percentunit',
        'Objective 99 % of realtime elements.',
        {
          'in time': `sum(increase(relay_delivery_latency_seconds_bucket{${CHOSEN},lane="realtime",le=~"60([.]0)?"}[1h])) / sum(increase(relay_delivery_latency_seconds_count{${CHOSEN},lane="realtime"}[1h]))`,
        },
        { width: 6, limits: [0.995, 0.99] },
      ),
      stat(
        'Not dead-lettered (1 h)',
        'percentunit',
        'Objective 99.9 % of elements.',
        {
          kept: `1 - sum(increase(relay_dead_lettered_elements_total{${CHOSEN}}[1h])) / (sum(increase(relay_dead_lettered_elements_total{${CHOSEN}}[1h])) + sum(increase(relay_delivered_elements_total{${CHOSEN}}[1h])))`,
        },
        { width: 6, limits: [0.9995, 0.999] },
      ),
      stat(
        'Waiting',
        'short',
        'Elements that wait, all kinds and lanes.',
        { waiting: `sum(max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))` },
        { width: 3 },
      ),
      stat(
        'Oldest realtime element',
        's',
        'How long the oldest realtime element has waited.',
        { oldest: `max(relay_oldest_element_age_seconds{${CHOSEN},lane="realtime"})` },
        { width: 3, limits: [60, 600] },
      ),
      stat(
        'Drained in',
        's',
        'When all is sent if nothing more arrives and MoEngage takes it from now on. Customers held take longer. Unknown while a workspace with a backlog is held, paused, slow or without a worker.',
        {
          ETA: `max(relay_drain_eta_seconds{${CHOSEN}}) unless on () ((max by (namespace, app_id) (relay_backlog_elements{${CHOSEN}}) > 0) unless on (namespace, app_id) relay_drain_eta_seconds{${CHOSEN}})`,
        },
        { width: 3, limits: [900, 7200], absent: 'unknown' },
      ),
      stat(
        'Customers held',
        'none',
        "They wait for MoEngage's per-customer policy; no others do.",
        { held: `sum(max by (app_id) (relay_customers_held{${CHOSEN}}))` },
        { width: 3, limits: [1, 100] },
      ),
    ],
    'In, waiting, out': [
      lines(
        'Accepted and delivered',
        'cps',
        'Elements a second. Out below in: the backlog grows.',
        {
          accepted: `sum(rate(relay_intake_elements_total{${CHOSEN},outcome="accepted"}[${RATE}]))`,
          delivered: `sum(rate(relay_delivered_elements_total{${CHOSEN}}[${RATE}]))`,
        },
      ),
      stacked('Backlog by workspace', 'short', 'Elements that wait.', {
        '{{app_id}}': `sum by (app_id) (max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))`,
      }),
      lines(
        'Budget in use',
        'percentunit',
        'Share of what one window allows. Full with a backlog: MoEngage sets the pace.',
        {
          '{{app_id}} {{budget}}': `max by (app_id, budget) (relay_budget_used{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
        },
      ),
    ],
  }),
}
