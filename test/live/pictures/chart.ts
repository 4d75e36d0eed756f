import type { PanelSpec } from '@relay/tools/ops/dashboards/panel.js'
import type { Range } from '../prometheus.js'
import { axisSteps, formatValue } from './format.js'
import type { Curve } from './panel-data.js'
import { drawLegend } from './legend.js'
import { element, fitted, rounded, text } from './svg.js'
import { COLOURS, curveColour, type Box, type Mark } from './theme.js'

const AXIS_WIDTH = 58
const PADDING = 10
const TITLE_HEIGHT = 30
/** Above the plot, for the letters of marks. */
const MARKS_HEIGHT = 10
const TIMES_HEIGHT = 18
const TIME_STEPS_S = [10, 15, 30, 60, 120, 300, 600]

interface Frame {
  readonly plot: Box
  readonly mostS: number
  readonly most: number
}

/** A panel of curves over time, with the moments that `marks` name. */
export function drawChart(
  spec: PanelSpec,
  curves: readonly Curve[],
  { box, range, marks }: { box: Box; range: Range; marks: readonly Mark[] },
): string {
  const layers = layersOf(spec, curves)
  const legend = drawLegend(
    layers.map(({ name }) => name),
    box,
  )
  const values = layers.flatMap(({ top }) => top.filter((value) => value !== null))
  const steps = axisSteps(Math.max(0, ...values), spec.unit)
  const above = TITLE_HEIGHT + (marks.length > 0 ? MARKS_HEIGHT : 0)
  const plot = {
    x: box.x + AXIS_WIDTH,
    y: box.y + above,
    width: box.width - AXIS_WIDTH - PADDING,
    height: box.height - above - TIMES_HEIGHT - legend.height - 6,
  }
  const frame = { plot, mostS: range.toS - range.fromS, most: steps.at(-1) ?? 1 }
  return [
    element('rect', { ...box, rx: 4, fill: COLOURS.card, stroke: COLOURS.line }),
    text(fitted(spec.title, box.width - 2 * PADDING, 13), box.x + PADDING, box.y + 19, {
      ...{ 'font-size': 13, 'font-weight': 600, fill: COLOURS.ink },
    }),
    ...axes(frame, steps, spec.unit),
    // The greatest, or lowest, last: it hides under no other.
    ...layers.map((layer) => drawLayer(layer, frame)).toReversed(),
    ...marks.map((mark) => drawMark(mark, range, frame)),
    curves.length === 0 ? noData(plot) : '',
    legend.drawn,
  ].join('')
}

interface Layer {
  readonly name: string
  readonly colour: string
  readonly top: Points
  /** Of a stack: the edge below. Null: a line by itself. */
  readonly under: Points | null
  readonly isNothing: boolean
}

type Points = readonly (number | null)[]

/** A stack has the greatest below, so that its layers lie in the order of their weight. */
function layersOf({ kind }: PanelSpec, curves: readonly Curve[]): readonly Layer[] {
  if (kind !== 'stacked') {
    return curves.map(({ name, points }, i) => {
      return { name, colour: curveColour(i), top: points, under: null, isNothing: false }
    })
  }
  const sum = ({ points }: Curve) => points.reduce<number>((all, n) => all + (n ?? 0), 0)
  const order = curves.toSorted((a, b) => sum(b) - sum(a) || a.name.localeCompare(b.name))
  let under: Points = []
  return order.map((curve, i) => {
    const below = under
    under = curve.points.map((value, n) => add(value, below[n] ?? null))
    const isNothing = sum(curve) === 0
    return { name: curve.name, colour: curveColour(i), top: under, under: below, isNothing }
  })
}

function add(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0)
}

function drawLayer({ colour, top, under, isNothing }: Layer, { plot, most }: Frame): string {
  if (isNothing) return ''
  const last = Math.max(1, top.length - 1)
  const at = (i: number, value: number): string => {
    const x = rounded(plot.x + (i / last) * plot.width)
    return `${String(x)} ${String(rounded(plot.y + plot.height * (1 - value / most)))}`
  }
  const runs = runsOf(top)
  const edges = runs.map((run) => run.map(([i, value]) => at(i, value)).join('L'))
  const line = element('path', {
    ...{ d: edges.map((edge) => `M${edge}`).join(''), fill: 'none', stroke: colour },
    ...{ 'stroke-width': 1.6, 'stroke-linejoin': 'round', 'stroke-linecap': 'round' },
  })
  if (under === null) return line
  const areas = runs.map((run, n) => {
    const back = run.toReversed().map(([i]) => at(i, under[i] ?? 0))
    return `M${edges[n] ?? ''}L${back.join('L')}Z`
  })
  return element('path', { d: areas.join(''), fill: colour, 'fill-opacity': 0.25 }) + line
}

/** Stretches without a gap; one lone point is drawn as a dot by the round ends of its line. */
function runsOf(points: Points): [number, number][][] {
  const runs: [number, number][][] = []
  let run: [number, number][] | null = null
  points.forEach((value, i) => {
    if (value === null) run = null
    else if (run === null) runs.push((run = [[i, value]]))
    else run.push([i, value])
  })
  return runs.map((points) => (points.length === 1 ? [...points, ...points] : points))
}

function axes({ plot, mostS, most }: Frame, steps: readonly number[], unit: string): string[] {
  const small = { 'font-size': 11, fill: COLOURS.dim }
  const lines = steps.map((step) => {
    const y = rounded(plot.y + plot.height * (1 - step / most))
    const line = { x1: plot.x, x2: plot.x + plot.width, y1: y, y2: y, stroke: COLOURS.line }
    const label = text(formatValue(step, unit), plot.x - 6, y + 4, {
      ...small,
      'text-anchor': 'end',
    })
    return element('line', line) + label
  })
  const every = TIME_STEPS_S.find((step) => mostS / step <= 6) ?? 600
  const times = Array.from({ length: Math.floor(mostS / every) + 1 }, (_, i) => {
    const x = plot.x + ((i * every) / mostS) * plot.width
    return text(minutes(i * every), x, plot.y + plot.height + 14, {
      ...small,
      'text-anchor': i === 0 ? 'start' : i * every === mostS ? 'end' : 'middle',
    })
  })
  return [...lines, ...times]
}

function drawMark({ atS, letter }: Mark, { fromS }: Range, { plot, mostS }: Frame): string {
  const x = rounded(plot.x + ((atS - fromS) / mostS) * plot.width)
  const line = { x1: x, x2: x, y1: plot.y, y2: plot.y + plot.height }
  const label = { 'text-anchor': 'middle', 'font-size': 10, 'font-weight': 700, fill: COLOURS.ink }
  return (
    element('line', { ...line, stroke: COLOURS.ink, 'stroke-dasharray': '3 3' }) +
    text(letter, x, plot.y - 4, label)
  )
}

function noData(plot: Box): string {
  const { x, y, width, height } = plot
  const style = { 'text-anchor': 'middle', 'font-size': 12, fill: COLOURS.dim }
  return text('nothing', x + width / 2, y + height / 2, style)
}

function minutes(seconds: number): string {
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`
}
