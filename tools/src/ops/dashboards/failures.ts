import { CHOSEN, RATE, lines, rows, stacked, stat, type DashboardSpec } from './panel.js'

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
