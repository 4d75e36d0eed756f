import type { PanelSpec, QuerySpec } from '@relay/tools/ops/dashboards/panel.js'
import type { Prometheus, Range } from '../prometheus.js'

/** One curve; `null`: no value at that step. */
export interface Curve {
  readonly name: string
  readonly points: readonly (number | null)[]
}

/** What a panel shows. */
export type PanelData =
  | { readonly kind: 'stat'; readonly values: readonly Value[] }
  | { readonly kind: 'lines' | 'stacked'; readonly curves: readonly Curve[] }

interface Value {
  readonly name: string
  readonly value: number
}

export interface Moment {
  readonly range: Range
  /** When the single values are read; the end of the range unless told. */
  readonly statAtS?: number
  /** Regular expression of the workspaces, as chosen at the top of a dashboard. */
  readonly appIds: string
  /** Width of rates, e.g. `10s`. */
  readonly rateWindow: string
}

/** Asks Prometheus what the panel would have shown. */
export async function readPanel(
  prometheus: Prometheus,
  panel: PanelSpec,
  moment: Moment,
): Promise<PanelData> {
  const { range, statAtS = range.toS } = moment
  if (panel.kind === 'stat') {
    const ask = async (spec: QuerySpec) => {
      const samples = await prometheus.query(fillIn(spec.expr, moment), statAtS)
      return samples.map(({ metric, value }) => {
        return { name: legendOf(spec, metric), value: Number(value[1]) }
      })
    }
    return { kind: 'stat', values: (await Promise.all(panel.queries.map(ask))).flat() }
  }
  const ask = async (spec: QuerySpec) => {
    const series = await prometheus.range(fillIn(spec.expr, moment), range)
    return series.map(({ metric, values }) => {
      return { name: legendOf(spec, metric), points: pointsOf(values, range) }
    })
  }
  return { kind: panel.kind, curves: (await Promise.all(panel.queries.map(ask))).flat() }
}

/** Grafana's variables as they would be filled in. */
export function fillIn(expr: string, { appIds, rateWindow }: Omit<Moment, 'range'>): string {
  return expr
    .replaceAll('$namespace', '')
    .replaceAll('$app_id', appIds)
    .replaceAll('$__rate_interval', rateWindow)
}

function legendOf({ legend }: QuerySpec, metric: Readonly<Record<string, string>>): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '').trim()
}

function pointsOf(values: readonly (readonly [number, string])[], { fromS, toS, stepS }: Range) {
  const points = Array.from<number | null>({ length: Math.floor((toS - fromS) / stepS) + 1 })
  points.fill(null)
  for (const [atS, value] of values) {
    const number = Number(value)
    if (Number.isFinite(number)) points[Math.round((atS - fromS) / stepS)] = number
  }
  return points
}
