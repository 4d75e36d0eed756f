import { overview } from '@relay/tools/ops/dashboards/overview.js'
import type { DashboardSpec, PanelSpec } from '@relay/tools/ops/dashboards/panel.js'
import { shortenExpression } from '../live/shortened-rules.js'

/** The overview with every time divided as those of the rules are, so that its boxes agree with them. */
export function shortenedOverview(factor: number): DashboardSpec {
  const rows = overview.rows.map((row) => ({
    ...row,
    panels: row.panels.map((panel) => shortened(panel, factor)),
  }))
  return { ...overview, rows }
}

function shortened(panel: PanelSpec, factor: number): PanelSpec {
  const { title, queries, unit, limits } = panel
  const isTime = unit === 's' && limits !== undefined
  return {
    ...panel,
    title: title.replace('60 s', '10 s').replace('(1 h)', `(${60 / factor} min)`),
    queries: queries.map(({ expr, legend }) => ({
      legend,
      expr: shortenExpression(expr, factor),
    })),
    ...(isTime ? { limits: [limits[0] / factor, limits[1] / factor] as const } : {}),
  }
}
