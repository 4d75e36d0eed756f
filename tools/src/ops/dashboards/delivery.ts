import { CHOSEN, RATE, lines, rows, stacked, type DashboardSpec } from './panel.js'

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
