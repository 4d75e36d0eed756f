import { CHOSEN, query, RATE, type DashboardSpec } from './panel.js'

export const delivery: DashboardSpec = {
  uid: 'relay-delivery',
  title: 'relay / Delivery and budgets',
  about: 'How fast and how full relay sends, and what holds it back.',
  rows: [
    {
      title: 'Budgets',
      panels: [
        {
          title: 'Used of the limit',
          about: 'Share of one window. Between 90 and 100 % with a backlog is as fast as allowed.',
          kind: 'lines',
          unit: 'percentunit',
          queries: [
            query(
              `max by (app_id, budget) (relay_budget_used{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
              '{{app_id}} {{budget}}',
            ),
          ],
        },
        {
          title: 'Effective share of the limit',
          about: 'Under 100 % after a 429: somebody else sends on the same account.',
          kind: 'lines',
          unit: 'percentunit',
          queries: [
            query(
              `max by (app_id, budget) (relay_budget_effective{${CHOSEN}}) / max by (app_id, budget) (relay_budget_limit{${CHOSEN}})`,
              '{{app_id}} {{budget}}',
            ),
          ],
        },
        {
          title: 'Workers that wait for budget',
          about: 'By lane. Waiting with budget free is worth a look.',
          kind: 'lines',
          unit: 'none',
          queries: [
            query(`max by (app_id, lane) (relay_budget_waiters{${CHOSEN}})`, '{{app_id}} {{lane}}'),
          ],
        },
        {
          title: 'Saved by coalescing',
          about: 'User updates a second that cost nothing, as they shared one with others.',
          kind: 'lines',
          unit: 'cps',
          queries: [
            query(
              `sum by (app_id) (rate(relay_budget_saved_total{${CHOSEN}, budget="users"}[${RATE}]))`,
              '{{app_id}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Backlog',
      panels: [
        {
          title: 'Waiting by kind and lane',
          about: 'Elements.',
          kind: 'stacked',
          unit: 'short',
          queries: [
            query(
              `sum by (kind, lane) (max by (app_id, kind, lane) (relay_backlog_elements{${CHOSEN}}))`,
              '{{kind}} {{lane}}',
            ),
          ],
        },
        {
          title: 'Oldest element',
          about: 'Age of what has waited longest.',
          kind: 'lines',
          unit: 's',
          queries: [
            query(
              `max by (app_id, lane) (relay_oldest_element_age_seconds{${CHOSEN}})`,
              '{{app_id}} {{lane}}',
            ),
          ],
        },
        {
          title: 'Drained in',
          about: 'If nothing more arrives and MoEngage takes it from now on.',
          kind: 'lines',
          unit: 's',
          queries: [query(`max by (app_id) (relay_drain_eta_seconds{${CHOSEN}})`, '{{app_id}}')],
        },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by outcome',
          about: 'Bulk requests a second, by what MoEngage said.',
          kind: 'stacked',
          unit: 'reqps',
          queries: [
            query(
              `sum by (outcome) (rate(relay_requests_total{${CHOSEN}}[${RATE}])) > 0`,
              '{{outcome}}',
            ),
          ],
        },
        {
          title: 'Time of one attempt',
          about: 'When it grows, MoEngage or the way to it is slow.',
          kind: 'lines',
          unit: 's',
          queries: [
            query(
              `histogram_quantile(0.5, sum by (le) (rate(relay_request_duration_seconds_bucket{${CHOSEN}}[${RATE}])))`,
              'p50',
            ),
            query(
              `histogram_quantile(0.99, sum by (le) (rate(relay_request_duration_seconds_bucket{${CHOSEN}}[${RATE}])))`,
              'p99',
            ),
          ],
        },
        {
          title: 'From accepted to delivered',
          about: 'By lane; 99 % of realtime within 60 s is the objective.',
          kind: 'lines',
          unit: 's',
          queries: [
            query(
              `histogram_quantile(0.5, sum by (le, lane) (rate(relay_delivery_latency_seconds_bucket{${CHOSEN}}[${RATE}])))`,
              'p50 {{lane}}',
            ),
            query(
              `histogram_quantile(0.99, sum by (le, lane) (rate(relay_delivery_latency_seconds_bucket{${CHOSEN}}[${RATE}])))`,
              'p99 {{lane}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'How full',
      panels: [
        {
          title: 'Body size',
          about: 'Mean bytes of a bulk request; the ceiling is 128,000.',
          kind: 'lines',
          unit: 'bytes',
          queries: [
            query(
              `sum by (app_id) (rate(relay_request_body_bytes_sum{${CHOSEN}}[${RATE}])) / sum by (app_id) (rate(relay_request_body_bytes_count{${CHOSEN}}[${RATE}]))`,
              '{{app_id}}',
            ),
          ],
        },
        {
          title: 'Elements per request',
          about: 'Mean, as posted: before coalescing.',
          kind: 'lines',
          unit: 'none',
          queries: [
            query(
              `sum(rate(relay_request_elements_sum[${RATE}])) / sum(rate(relay_request_elements_count[${RATE}]))`,
              'elements',
            ),
          ],
        },
        {
          title: 'Elements that shared one',
          about: 'A second, by kind: they came within the element before them of their customer.',
          kind: 'lines',
          unit: 'cps',
          queries: [
            query(`sum by (kind) (rate(relay_coalesced_elements_total[${RATE}]))`, '{{kind}}'),
          ],
        },
        {
          title: 'Delivered by workspace',
          about: 'Elements a second.',
          kind: 'stacked',
          unit: 'cps',
          queries: [
            query(
              `sum by (app_id) (rate(relay_delivered_elements_total{${CHOSEN}}[${RATE}]))`,
              '{{app_id}}',
            ),
          ],
        },
      ],
    },
  ],
}
