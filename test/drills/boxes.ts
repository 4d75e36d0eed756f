import {
  inNamespace,
  type DashboardSpec,
  type PanelSpec,
} from '@relay/tools/ops/dashboards/panel.js'
import type { Prometheus } from '../live/prometheus.js'
import { formatValue } from './format.js'

/** A single-value panel of a dashboard: its title, the text it shows and its colour. */
export interface Box {
  readonly title: string
  readonly words: string
  readonly colour: '' | 'green' | 'yellow' | 'red'
}

interface Variables {
  /** Regular expression of the workspaces, as chosen at the top of a dashboard. */
  readonly appIds: string
  /** Width of rates, for example `10s`. */
  readonly rateWindow: string
}

/** Evaluates every single-value panel of a dashboard at one moment. */
export async function readBoxes(
  prometheus: Prometheus,
  dashboard: DashboardSpec,
  { atS, ...variables }: Variables & { readonly atS: number },
): Promise<readonly Box[]> {
  const panels = dashboard.rows.flatMap((row) => row.panels).filter(({ kind }) => kind === 'stat')
  return Promise.all(
    panels.map(async (panel) => {
      const [query] = panel.queries
      const samples = query ? await prometheus.query(fillIn(query.expr, variables), atS) : []
      return boxOf(panel, samples[0] && Number(samples[0].value[1]))
    }),
  )
}

/** The query as its dashboard has it, with Grafana's variables replaced. */
export function fillIn(expr: string, { appIds, rateWindow }: Variables): string {
  return inNamespace(expr)
    .replaceAll('$namespace', '')
    .replaceAll('$app_id', appIds)
    .replaceAll('$__rate_interval', rateWindow)
}

function boxOf(
  { title, words, unit, limits, absent = 'no data' }: PanelSpec,
  value: number | undefined,
): Box {
  if (value === undefined) return { title, words: absent, colour: '' }
  const text = words?.[String(value)] ?? formatValue(value, unit)
  return { title, words: text, colour: colourOf(value, limits) }
}

/** Limits in descending order mean that less is worse. */
export function colourOf(value: number, limits: PanelSpec['limits']): Box['colour'] {
  if (limits === undefined) return ''
  const [yellow, red] = limits
  if (yellow > red) {
    if (value >= yellow || Number.isNaN(value)) return 'green'
    return value >= red ? 'yellow' : 'red'
  }
  if (value >= red) return 'red'
  return value >= yellow ? 'yellow' : 'green'
}
