import { CHOSEN, query, RATE, type DashboardSpec } from './panel.js'

export const failures: DashboardSpec = {
  uid: 'relay-failures',
  title: 'relay / Failures and dead letters',
  about: 'What MoEngage refuses, what is held and what an operator has to look at.',
  rows: [
    {
      title: 'MoEngage',
      panels: [
        {
          title: 'Failing requests by reason',
          about: 'Everything but a clean 200.',
          kind: 'stacked',
          unit: 'reqps',
          queries: [
            query(
              `sum by (outcome) (rate(relay_requests_total{${CHOSEN},outcome!="delivered"}[${RATE}])) > 0`,
              '{{outcome}}',
            ),
          ],
        },
        {
          title: 'Held',
          about:
            'By workspace and reason. relay probes and resumes by itself once MoEngage accepts.',
          kind: 'lines',
          unit: 'none',
          queries: [
            query(
              `max by (app_id, reason) (relay_workspace_held{${CHOSEN}}) > 0`,
              '{{app_id}} {{reason}}',
            ),
          ],
        },
        {
          title: 'Paused by an operator',
          about: 'Ends with `relay resume`.',
          kind: 'lines',
          unit: 'none',
          queries: [query(`max by (app_id) (relay_workspace_paused{${CHOSEN}})`, '{{app_id}}')],
        },
      ],
    },
    {
      title: 'Dead letters',
      panels: [
        {
          title: 'New dead letters',
          about: 'Elements per second that MoEngage refuses permanently.',
          kind: 'stacked',
          unit: 'cps',
          queries: [
            query(
              `sum by (kind, reason) (rate(relay_dead_lettered_elements_total{${CHOSEN}}[${RATE}]))`,
              '{{kind}} {{reason}}',
            ),
          ],
        },
        {
          title: 'Dead letters kept',
          about: 'To be read, replayed or purged.',
          kind: 'stacked',
          unit: 'short',
          queries: [query(`max by (app_id) (relay_dead_letters{${CHOSEN}})`, '{{app_id}}')],
        },
        {
          title: 'Possible duplicates',
          about: 'Sent again because an answer was lost; MoEngage may have them twice.',
          kind: 'lines',
          unit: 'cps',
          queries: [
            query(
              `sum by (app_id) (rate(relay_possible_duplicate_elements_total{${CHOSEN}}[${RATE}]))`,
              '{{app_id}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Configuration',
      panels: [
        {
          title: 'Workspaces file faulty',
          about: 'The last valid file stays in force.',
          kind: 'stat',
          unit: 'none',
          width: 6,
          limits: [1, 1],
          words: { '0': 'good', '1': 'FAULTY' },
          queries: [query('max(relay_workspaces_file_faulty)', 'file')],
        },
        {
          title: 'Workspaces configured',
          about: 'The least of all processes.',
          kind: 'stat',
          unit: 'none',
          width: 6,
          queries: [query('min(relay_workspaces_configured)', 'workspaces')],
        },
        {
          title: 'Waiting for a workspace that is gone',
          about: 'Elements that wait for a workspace which is no longer configured.',
          kind: 'stat',
          unit: 'short',
          width: 6,
          limits: [1, 1],
          queries: [query('max(relay_orphaned_elements)', 'elements')],
        },
        {
          title: 'File changes (1 h)',
          about: 'Noticed changes, by result.',
          kind: 'stat',
          unit: 'none',
          width: 6,
          queries: [
            query('sum by (result) (increase(relay_config_reloads_total[1h]))', '{{result}}'),
          ],
        },
      ],
    },
  ],
}
