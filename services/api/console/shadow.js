import { ask } from './api.js'
import {
  card,
  confirmed,
  counted,
  duration,
  facts,
  make,
  moment,
  notify,
  number,
  table,
} from './dom.js'

const HEAD = ['Budget', 'Per window', 'Units', 'Busiest minute', 'Share', 'Longest wait']

/** What workspaces in shadow refused, warned about and would have sent. */
export class ShadowView {
  async show(main) {
    const { workspaces } = await ask('GET', '/admin/workspaces')
    const reports = await Promise.all(
      workspaces.map(({ app_id: appId }) => ask('GET', pathOf(appId))),
    )
    const seen = reports.filter(({ since, mode }) => since !== null || mode === 'shadow')
    const words =
      seen.length === 0
        ? 'No workspace is or was in shadow. Set "mode": "shadow" in the workspaces file.'
        : 'A workspace in shadow accepts and validates posts, and sends nothing.'
    main.replaceChildren(
      make('h2', {}, 'Shadow'),
      make('p', { class: 'caption' }, words),
      ...seen.map((report) => this.#card(report, () => this.show(main))),
    )
  }

  #card(report, reload) {
    const { app_id: appId, mode, since, requests, accepted, rejected, dropped, waiting } = report
    const reset = make('button', { type: 'button', class: 'quiet' }, 'Start a new report')
    reset.addEventListener('click', () => void resetReport(appId, reload))
    const rules = [
      ...rulesOf('refused', report.refused_by_rule),
      ...rulesOf('warned of', report.warned_by_rule),
    ]
    return card(
      `shadow-${appId}`,
      appId,
      [
        make('span', { class: `badge ${mode === 'shadow' ? 'paused' : 'running'}` }, mode),
        since === null ? 'no posts yet' : `in shadow since ${moment(since)}`,
        make('span', { class: 'fill' }),
        reset,
      ],
      facts([
        ['Requests accepted', number(requests.accepted)],
        ['Requests refused', number(requests.refused)],
        ['Elements accepted', number(accepted.total)],
        ['Elements refused', number(rejected)],
        [
          'Would have been sent',
          `${number(dropped.elements)} in ${counted(dropped.requests, 'request')}`,
        ],
        ['Queued', number(waiting)],
      ]),
      table(`Budgets of ${appId}`, HEAD, Object.entries(report.budgets).map(budgetRow)),
      table(`Rules of ${appId}`, ['Outcome', 'Rule', 'Elements'], rules),
    )
  }
}

async function resetReport(appId, reload) {
  const title = `Start a new report of ${appId}?`
  const text = 'The current report is deleted. This cannot be undone.'
  if (!(await confirmed({ title, text, yes: 'Begin', isDanger: true }))) return
  await ask('DELETE', pathOf(appId))
  notify(`Started a new report of ${appId}.`)
  await reload()
}

const pathOf = (appId) => `/admin/workspaces/${encodeURIComponent(appId)}/shadow`

function rulesOf(outcome, byRule) {
  const most = Object.entries(byRule).sort(([, a], [, b]) => b - a)
  return most.map(([rule, n]) => [outcome, rule, number(n)])
}

function budgetRow([name, need]) {
  return [
    name,
    number(need.limit),
    number(need.units),
    number(need.busiest_minute),
    `${Math.round(need.busiest_minute_share * 100)} %`,
    duration(need.longest_wait_seconds),
  ]
}
