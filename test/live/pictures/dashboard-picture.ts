import type { DashboardSpec, PanelSpec } from '@relay/tools/ops/dashboards/panel.js'
import type { Prometheus, Range } from '../prometheus.js'
import { drawChart } from './chart.js'
import { readPanel, type Moment, type PanelData } from './panel-data.js'
import { drawStat } from './stat.js'
import { element, text } from './svg.js'
import { COLOURS, FONT, type Box, type Mark } from './theme.js'

const WIDTH = 1200
const COLUMNS = 24
const MARGIN = 12
const GAP = 8
const STAT_HEIGHT = 78
const CHART_HEIGHT = 210
const HEADER_HEIGHT = 58
const ROW_TITLE_HEIGHT = 28

export interface Picture {
  readonly svg: string
  /** What each panel showed, by its title. */
  readonly shown: ReadonlyMap<string, PanelData>
}

export interface PictureOptions extends Moment {
  /** Under the dashboard's title: what is seen here. */
  readonly caption: string
  readonly marks?: readonly Mark[]
}

/** A dashboard as Grafana would lay it out, drawn from what Prometheus has. */
export async function drawDashboard(
  prometheus: Prometheus,
  dashboard: DashboardSpec,
  { caption, marks = [], ...moment }: PictureOptions,
): Promise<Picture> {
  const shown = new Map<string, PanelData>()
  const parts: string[] = []
  let y = HEADER_HEIGHT
  for (const row of dashboard.rows) {
    parts.push(heading(row.title, y))
    y += ROW_TITLE_HEIGHT
    const placed = placePanels(row.panels, y)
    for (const { panel, box } of placed.panels) {
      const data = await readPanel(prometheus, panel, moment)
      shown.set(panel.title, data)
      parts.push(drawPanel(panel, data, box, moment.range, marks))
    }
    y = placed.bottom + GAP
  }
  const header =
    text(dashboard.title, MARGIN, 26, { 'font-size': 18, 'font-weight': 700, fill: COLOURS.ink }) +
    text(caption, MARGIN, 46, { 'font-size': 12, fill: COLOURS.dim })
  return { svg: page(header + parts.join('\n'), y, `${dashboard.title}: ${caption}`), shown }
}

function drawPanel(
  panel: PanelSpec,
  data: PanelData,
  box: Box,
  range: Range,
  marks: readonly Mark[],
): string {
  if (data.kind === 'stat') return drawStat(panel, data.values, box)
  return drawChart(panel, data.curves, { box, range, marks })
}

/** Left to right, and on to the next line when 24 columns are full. */
function placePanels(panels: readonly PanelSpec[], top: number) {
  const unit = (WIDTH - 2 * MARGIN + GAP) / COLUMNS
  let column = 0
  let y = top
  const placed = panels.map((panel) => {
    const isStat = panel.kind === 'stat'
    const span = panel.width ?? (isStat ? 4 : COLUMNS / 3)
    const height = isStat ? STAT_HEIGHT : CHART_HEIGHT
    if (column + span > COLUMNS) {
      column = 0
      y += height + GAP
    }
    const box = { x: MARGIN + column * unit, y, width: span * unit - GAP, height }
    column += span
    return { panel, box }
  })
  return { panels: placed, bottom: Math.max(top, ...placed.map(({ box }) => box.y + box.height)) }
}

function heading(title: string, y: number): string {
  const style = { 'font-size': 13, 'font-weight': 600, fill: COLOURS.dim }
  return text(title, MARGIN, y + 18, style)
}

function page(content: string, height: number, label: string): string {
  const size = { width: WIDTH, height: Math.ceil(height) }
  const attributes = {
    ...{
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${String(size.width)} ${String(size.height)}`,
    },
    ...{ ...size, 'font-family': FONT, role: 'img', 'aria-label': label },
  }
  const ground = element('rect', { ...size, fill: COLOURS.ground })
  return `${element('svg', attributes, '\n', ground, content, '\n')}\n`
}
