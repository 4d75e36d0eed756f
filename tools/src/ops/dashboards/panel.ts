/** A panel of a dashboard, before it is Grafana's. */
export interface PanelSpec extends PanelOptions {
  readonly kind: 'stat' | 'lines' | 'stacked'
  readonly title: string
  /** Grafana's name of the unit, e.g. `s`, `bytes`, `percentunit`, `cps`. */
  readonly unit: string
  /** What the panel shows, and how to read it. */
  readonly about: string
  readonly queries: readonly { readonly expr: string; readonly legend: string }[]
}

interface PanelOptions {
  /** Of the 24 columns. */
  readonly width?: number
  /** Values from which a stat turns yellow and red; reversed when the first is the greater. */
  readonly limits?: readonly [yellow: number, red: number]
  /** Words instead of values. */
  readonly words?: Readonly<Record<string, string>>
  /** What a stat says without a value. */
  readonly absent?: string
}

export interface DashboardSpec {
  readonly uid: string
  readonly title: string
  readonly about: string
  readonly rows: readonly { readonly title: string; readonly panels: readonly PanelSpec[] }[]
}

export const rows = (byTitle: Readonly<Record<string, readonly PanelSpec[]>>) =>
  Object.entries(byTitle).map(([title, panels]) => ({ title, panels }))

const panel =
  (kind: PanelSpec['kind']) =>
  (
    title: string,
    unit: string,
    about: string,
    byLegend: Readonly<Record<string, string>>,
    options: PanelOptions = {},
  ): PanelSpec => {
    const queries = Object.entries(byLegend).map(([legend, expr]) => ({ expr, legend }))
    return { kind, title, unit, about, queries, ...options }
  }

export const lines = panel('lines')
export const stacked = panel('stacked')
export const stat = panel('stat')

/** The workspaces chosen at the top of the dashboard. */
export const CHOSEN = 'app_id=~"$app_id"'
/**
 * The same query for the relay chosen at the top of the dashboard alone: several may share a
 * Prometheus. Without a namespace label the choice is empty and means all series.
 */
export function inNamespace(expr: string): string {
  return expr.replaceAll(
    /(?<![\w:])((?:[a-z_]+:)?(?:relay|process|nodejs)_[\w:]+|up)(?![\w:(-])(\{)?/g,
    (_, name: string, brace: string | undefined) =>
      `${name}{namespace=~"$namespace"${brace === undefined ? '}' : ','}`,
  )
}

/** The window of rates: four scrapes, or what fits the width of the panel. */
export const RATE = '$__rate_interval'
