import { CHOSEN, RATE, lines, rows, stacked, type DashboardSpec, stat } from './panel.js'

export const intake: DashboardSpec = {
  uid: 'relay-intake',
  title: 'relay / Intake',
  about: 'What producers send, and what relay answers.',
  rows: rows({
    Requests: [
      stacked('Requests by route', 'reqps', 'Requests a second.', {
        '{{route}}': `sum by (route) (rate(relay_intake_requests_total[${RATE}])) > 0`,
      }),
      stacked('Answers by status', 'reqps', '4xx is the producer, 503 is overload or Redis.', {
        '{{status}}': `sum by (status) (rate(relay_intake_requests_total[${RATE}])) > 0`,
      }),
      lines('Time to answer', 's', 'A 200 waits for Redis: when this grows, look at Redis first.', {
        p50: `histogram_quantile(0.5, sum by (le) (rate(relay_intake_request_duration_seconds_bucket[${RATE}])))`,
        p99: `histogram_quantile(0.99, sum by (le) (rate(relay_intake_request_duration_seconds_bucket[${RATE}])))`,
      }),
    ],
    Elements: [
      stacked('Elements by outcome', 'cps', 'Elements as posted, a second.', {
        '{{outcome}}': `sum by (outcome) (rate(relay_intake_elements_total{${CHOSEN}}[${RATE}]))`,
      }),
      stacked('Accepted by kind and lane', 'cps', 'Elements a second.', {
        '{{kind}} {{lane}}': `sum by (kind, lane) (rate(relay_intake_elements_total{${CHOSEN},outcome="accepted"}[${RATE}]))`,
      }),
      stacked('By producer', 'cps', 'Elements a second of each configured producer.', {
        '{{producer}}': `sum by (producer) (rate(relay_intake_producer_elements_total[${RATE}]))`,
      }),
    ],
    Room: [
      lines(
        'Backlog against its limit',
        'percentunit',
        'At 100 % the intake answers 503 until something is delivered.',
        {
          'in use': 'sum(max by (app_id) (relay_backlog_bytes)) / max(relay_backlog_limit_bytes)',
        },
        { width: 12 },
      ),
      stacked(
        'Doubtful elements accepted',
        'cps',
        'By the rule that warned; worth telling the producer.',
        { '{{rule}}': `sum by (rule) (rate(relay_intake_warnings_total[${RATE}])) > 0` },
        { width: 12 },
      ),
    ],
  }),
}

export const delivery: DashboardSpec = {
  uid: 'relay-delivery',
  title: 'relay / Delivery and budgets',
  about: 'How fast and how full relay sends, and what holds it back.',
  rows: rows({
    Budgets: [
      lines(
        'Used of the limit',
        'percentunit',
        'Share of one window. Between 90 and 100 % with a backlog is as fast as allowed.',
        {
          '{{app_id}} {{budget}}': `max by (app_id, budget) (relay_budget_used{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
        },
      ),
      lines(
        'Effective share of the limit',
        'percentunit',
        'Under 100 % after a 429: somebody else sends on the same account.',
        {
          '{{app_id}} {{budget}}': `max by (app_id, budget) (relay_budget_effective{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
        },
      ),
      lines(
        'Workers that wait for budget',
        'none',
        'By lane. Waiting with budget free is worth a look.',
        { '{{app_id}} {{lane}}': `max by (app_id, lane) (relay_budget_waiters{${CHOSEN}})` },
      ),
      lines(
        'Saved by coalescing',
        'cps',
        'User updates a second that cost nothing, as they shared one with others.',
        {
          '{{app_id}}': `sum by (app_id) (rate(relay_budget_saved_total{${CHOSEN}, budget="users"}[${RATE}]))`,
        },
      ),
    ],
    Backlog: [
      stacked('Waiting by kind and lane', 'short', 'Elements.', {
        '{{kind}} {{lane}}': `sum by (kind, lane) (max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))`,
      }),
      lines('Oldest element', 's', 'Age of what has waited longest.', {
        '{{app_id}} {{lane}}': `max by (app_id, lane) (relay_oldest_element_age_seconds{${CHOSEN}})`,
      }),
      lines('Drained in', 's', 'If nothing more arrives and MoEngage takes it from now on.', {
        '{{app_id}}': `max by (app_id) (relay_drain_eta_seconds{${CHOSEN}})`,
      }),
      lines(
        'Customers held',
        'none',
        "They wait for MoEngage's per-customer policy; the estimate beside does not count that.",
        { '{{app_id}}': `max by (app_id) (relay_customers_held{${CHOSEN}})` },
      ),
    ],
    Requests: [
      stacked('Requests by outcome', 'reqps', 'Bulk requests a second, by what MoEngage said.', {
        '{{outcome}}': `sum by (outcome) (rate(relay_requests_total{${CHOSEN}}[${RATE}])) > 0`,
      }),
      lines('Time of one attempt', 's', 'When it grows, MoEngage or the way to it is slow.', {
        p50: `histogram_quantile(0.5, sum by (le) (rate(relay_request_duration_seconds_bucket{${CHOSEN}}[${RATE}])))`,
        p99: `histogram_quantile(0.99, sum by (le) (rate(relay_request_duration_seconds_bucket{${CHOSEN}}[${RATE}])))`,
      }),
      lines(
        'From accepted to delivered',
        's',
        'By lane; 99 % of realtime within 60 s is the objective.',
        {
          'p50 {{lane}}': `histogram_quantile(0.5, sum by (le, lane) (rate(relay_delivery_latency_seconds_bucket{${CHOSEN}}[${RATE}])))`,
          'p99 {{lane}}': `histogram_quantile(0.99, sum by (le, lane) (rate(relay_delivery_latency_seconds_bucket{${CHOSEN}}[${RATE}])))`,
        },
      ),
    ],
    'How full': [
      lines('Body size', 'bytes', 'Mean bytes of a bulk request; the ceiling is 128,000.', {
        '{{app_id}}': `sum by (app_id) (rate(relay_request_body_bytes_sum{${CHOSEN}}[${RATE}])) / sum by (app_id) (rate(relay_request_body_bytes_count{${CHOSEN}}[${RATE}]))`,
      }),
      lines('Elements per request', 'none', 'Mean, as posted: before coalescing.', {
        elements: `sum(rate(relay_request_elements_sum[${RATE}])) / sum(rate(relay_request_elements_count[${RATE}]))`,
      }),
      lines(
        'Elements that shared one',
        'cps',
        'A second, by kind: they came within the element before them of their customer.',
        { '{{kind}}': `sum by (kind) (rate(relay_coalesced_elements_total[${RATE}]))` },
      ),
      stacked('Delivered by workspace', 'cps', 'Elements a second.', {
        '{{app_id}}': `sum by (app_id) (rate(relay_delivered_elements_total{${CHOSEN}}[${RATE}]))`,
      }),
    ],
  }),
}

export const failures: DashboardSpec = {
  uid: 'relay-failures',
  title: 'relay / Failures and dead letters',
  about: 'What MoEngage refuses, what is held and what an operator has to look at.',
  rows: rows({
    MoEngage: [
      stacked('Failing requests by reason', 'reqps', 'Everything but a clean 200.', {
        '{{outcome}}': `sum by (outcome) (rate(relay_requests_total{${CHOSEN},outcome!="delivered"}[${RATE}])) > 0`,
      }),
      lines(
        'Held',
        'none',
        'By workspace and reason. relay probes and resumes by itself once MoEngage accepts.',
        {
          '{{app_id}} {{reason}}': `max by (app_id, reason) (relay_workspace_held{${CHOSEN}}) > 0`,
        },
      ),
      lines('Paused by an operator', 'none', 'Ends with `relay resume`.', {
        '{{app_id}}': `max by (app_id) (relay_workspace_paused{${CHOSEN}})`,
      }),
    ],
    'Dead letters': [
      stacked('New dead letters', 'cps', 'Elements per second that MoEngage refuses permanently.', {
        '{{kind}} {{reason}}': `sum by (kind, reason) (rate(relay_dead_lettered_elements_total{${CHOSEN}}[${RATE}]))`,
      }),
      stacked('Dead letters kept', 'short', 'To be read, replayed or purged.', {
        '{{app_id}}': `max by (app_id) (relay_dead_letters{${CHOSEN}})`,
      }),
      lines(
        'Possible duplicates',
        'cps',
        'Sent again because an answer was lost; MoEngage may have them twice.',
        {
          '{{app_id}}': `sum by (app_id) (rate(relay_possible_duplicate_elements_total{${CHOSEN}}[${RATE}]))`,
        },
      ),
    ],
    Configuration: [
      stat(
        'Workspaces file faulty',
        'none',
        'The last valid file stays in force.',
        { file: 'max(relay_workspaces_file_faulty)' },
        { width: 6, limits: [1, 1], words: { '0': 'good', '1': 'FAULTY' } },
      ),
      stat(
        'Workspaces configured',
        'none',
        'The least of all processes.',
        { workspaces: 'min(relay_workspaces_configured)' },
        { width: 6 },
      ),
      stat(
        'Waiting for a workspace that is gone',
        'short',
        'Elements that wait for a workspace which is no longer configured.',
        { elements: 'max(relay_orphaned_elements)' },
        { width: 6, limits: [1, 1] },
      ),
      stat(
        'File changes (1 h)',
        'none',
        'Noticed changes, by result.',
        { '{{result}}': 'sum by (result) (increase(relay_config_reloads_total[1h]))' },
        { width: 6 },
      ),
    ],
  }),
}
