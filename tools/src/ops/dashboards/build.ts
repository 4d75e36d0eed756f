/* eslint-disable @typescript-eslint/no-deprecated --
   Grafana provisions dashboards from files in this model; the newer one needs its own API. */
import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { delivery, failures, intake } from './elements.js'
import { overview } from './overview.js'
import { inNamespace, type DashboardSpec, type PanelSpec } from './panel.js'
import { runtime } from './runtime.js'

export const DASHBOARDS: readonly DashboardSpec[] = [overview, intake, delivery, failures, runtime]

/** File name in `ops/dashboards` and its text. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    DASHBOARDS.map((spec) => [
      `${spec.uid}.json`,
      `${JSON.stringify(buildDashboard(spec), null, 2)}\n`,
    ]),
  )
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }
const COLUMNS = 24
const STAT_HEIGHT = 4
const LINES_HEIGHT = 8

/** Grafana's JSON model of a dashboard. */
function buildDashboard(spec: DashboardSpec): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.about)
    .tags(['relay'])
    .readonly()
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(
      new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    )
    .withVariable(
      // One at a time: figures of two relays must not be summed.
      new dashboard.QueryVariableBuilder('namespace')
        .label('Namespace')
        .datasource(DATASOURCE)
        .query('label_values(relay_budget_limit, namespace)')
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged),
    )
    .withVariable(
      new dashboard.QueryVariableBuilder('app_id')
        .label('Workspace')
        .datasource(DATASOURCE)
        .query('label_values(relay_budget_limit{namespace=~"$namespace"}, app_id)')
        .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    )
    .link(
      new dashboard.DashboardLinkBuilder('relay')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(['relay'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
  for (const { title, panels } of spec.rows) {
    builder.withRow(new dashboard.RowBuilder(title))
    for (const panel of panels) builder.withPanel(buildPanel(panel))
  }
  return builder.build()
}

function buildPanel(spec: PanelSpec) {
  const panel = spec.kind === 'stat' ? buildStat(spec) : buildLines(spec)
  panel.title(spec.title).description(spec.about).unit(spec.unit).datasource(DATASOURCE)
  for (const [i, { expr, legend }] of spec.queries.entries()) {
    const target = new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .expr(inNamespace(expr))
      .legendFormat(legend)
    panel.withTarget(spec.kind === 'stat' ? target.instant() : target.range())
  }
  return panel
}

function buildStat({ width = 4, limits, words, absent }: PanelSpec) {
  const panel = new stat.PanelBuilder()
    .height(STAT_HEIGHT)
    .span(width)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorMode(limits ? common.BigValueColorMode.Background : common.BigValueColorMode.None)
    .graphMode(common.BigValueGraphMode.None)
  if (limits) panel.thresholds(thresholds(limits))
  if (absent) panel.noValue(absent)
  if (words) panel.mappings([{ type: dashboard.MappingType.ValueToText, options: wordMap(words) }])
  return panel
}

function buildLines({ kind, width = COLUMNS / 3 }: PanelSpec) {
  const panel = new timeseries.PanelBuilder()
    .height(LINES_HEIGHT)
    .span(width)
    .min(0)
    .fillOpacity(kind === 'stacked' ? 25 : 5)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true),
    )
  if (kind === 'stacked') {
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal))
  }
  return panel
}

function thresholds([yellow, red]: readonly [number, number]) {
  const colours = ['green', 'yellow', 'red']
  const bounds = yellow > red ? [null, red, yellow] : [null, yellow, red]
  if (yellow > red) colours.reverse()
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(bounds.map((value, i) => ({ value, color: colours[i] ?? '' })))
}

function wordMap(words: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(words).map(([value, text]) => [value, { text }]))
}
