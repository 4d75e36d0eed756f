import { CHOSEN, query, RATE, type DashboardSpec } from './panel.js'

export const intake: DashboardSpec = {
  uid: 'relay-intake',
  title: 'relay / Intake',
  about: 'What producers send, and what relay answers.',
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by route',
          about: 'Requests a second.',
          kind: 'stacked',
          unit: 'reqps',
          queries: [
            query(`sum by (route) (rate(relay_intake_requests_total[${RATE}])) > 0`, '{{route}}'),
          ],
        },
        {
          title: 'Answers by status',
          about: '4xx is the producer, 503 is overload or Redis.',
          kind: 'stacked',
          unit: 'reqps',
          queries: [
            query(`sum by (status) (rate(relay_intake_requests_total[${RATE}])) > 0`, '{{status}}'),
          ],
        },
        {
          title: 'Time to answer',
          about: 'A 200 waits for Redis: when this grows, look at Redis first.',
          kind: 'lines',
          unit: 's',
          queries: [
            query(
              `histogram_quantile(0.5, sum by (le) (rate(relay_intake_request_duration_seconds_bucket[${RATE}])))`,
              'p50',
            ),
            query(
              `histogram_quantile(0.99, sum by (le) (rate(relay_intake_request_duration_seconds_bucket[${RATE}])))`,
              'p99',
            ),
          ],
        },
      ],
    },
    {
      title: 'Elements',
      panels: [
        {
          title: 'Elements by outcome',
          about: 'Elements as posted, a second.',
          kind: 'stacked',
          unit: 'cps',
          queries: [
            query(
              `sum by (outcome) (rate(relay_intake_elements_total{${CHOSEN}}[${RATE}]))`,
              '{{outcome}}',
            ),
          ],
        },
        {
          title: 'Accepted by kind and lane',
          about: 'Elements a second.',
          kind: 'stacked',
          unit: 'cps',
          queries: [
            query(
              `sum by (kind, lane) (rate(relay_intake_elements_total{${CHOSEN},outcome="accepted"}[${RATE}]))`,
              '{{kind}} {{lane}}',
            ),
          ],
        },
        {
          title: 'By producer',
          about: 'Elements a second of each configured producer.',
          kind: 'stacked',
          unit: 'cps',
          queries: [
            query(
              `sum by (producer) (rate(relay_intake_producer_elements_total[${RATE}]))`,
              '{{producer}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Room',
      panels: [
        {
          title: 'Backlog against its limit',
          about: 'At 100 % the intake answers 503 until something is delivered.',
          kind: 'lines',
          unit: 'percentunit',
          width: 12,
          queries: [
            query(
              'sum(max by (app_id) (relay_backlog_bytes)) / max(relay_backlog_limit_bytes)',
              'in use',
            ),
          ],
        },
        {
          title: 'Doubtful elements accepted',
          about: 'By the rule that warned; worth telling the producer.',
          kind: 'stacked',
          unit: 'cps',
          width: 12,
          queries: [
            query(`sum by (rule) (rate(relay_intake_warnings_total[${RATE}])) > 0`, '{{rule}}'),
          ],
        },
      ],
    },
  ],
}
