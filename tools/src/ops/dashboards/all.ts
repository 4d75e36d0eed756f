import { buildDashboard } from './build.js'
import { delivery } from './delivery.js'
import { failures } from './failures.js'
import { intake } from './intake.js'
import { overview } from './overview.js'
import type { DashboardSpec } from './panel.js'
import { runtime } from './runtime.js'

export const DASHBOARDS: readonly DashboardSpec[] = [overview, intake, delivery, failures, runtime]

/** File name in `ops/dashboards` and its text. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    DASHBOARDS.map((spec) => {
      const text = JSON.stringify(buildDashboard(spec), null, 2)
      return [`${spec.uid}.json`, `${text}\n`]
    }),
  )
}
