import { CHOSEN, RATE, lines, rows, stacked, type DashboardSpec } from './panel.js'

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
