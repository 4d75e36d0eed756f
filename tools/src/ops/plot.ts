const WIDTH = 960
const PANEL_HEIGHT = 150
const LEFT = 70
const RIGHT = 20
const TOP = 30
const GAP = 50

export interface Panel<Point> {
  readonly title: string
  readonly lines: readonly {
    readonly label: string
    readonly colour: string
    /** null: not known at that time. */
    readonly value: (point: Point) => number | null
  }[]
}

interface Tick {
  readonly atMs: number
  readonly label: string
}

/** Values over time as an SVG picture, one panel below the other; the last tick is its right edge. */
export function plot<Point extends { readonly atMs: number }>(
  points: readonly Point[],
  ticks: readonly Tick[],
  panels: readonly Panel<Point>[],
): string {
  const height = TOP + panels.length * (PANEL_HEIGHT + GAP) - 10
  const size = `width="${WIDTH}" height="${height}"`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<rect ${size} fill="#ffffff"/>`,
    ...panels.map((panel, i) => plotPanel(panel, points, ticks, TOP + i * (PANEL_HEIGHT + GAP))),
    '</svg>',
  ].join('\n')}\n`
}

function plotPanel<Point extends { readonly atMs: number }>(
  { title, lines }: Panel<Point>,
  points: readonly Point[],
  ticks: readonly Tick[],
  top: number,
): string {
  const bottom = top + PANEL_HEIGHT
  const lastMs = ticks.at(-1)?.atMs ?? 1
  const most = Math.max(...lines.flatMap(({ value }) => points.map((point) => value(point) ?? 0)))
  const x = (atMs: number) => (LEFT + (atMs / lastMs) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const y = (value: number) => (top + PANEL_HEIGHT * (1 - value / most)).toFixed(1)
  const times = ticks.map(({ atMs, label }) => {
    const at = x(atMs)
    return (
      `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="#e5e7eb"/>` +
      `<text x="${at}" y="${bottom + 14}" text-anchor="middle">${label}</text>`
    )
  })
  const values = [0, most / 2, most].map(
    (value) =>
      `<text x="${LEFT - 6}" y="${y(value)}" text-anchor="end">${value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 })}</text>`,
  )
  const paths = lines.map(({ label, colour, value }, i) => {
    const path = points.flatMap((point) => {
      const known = value(point)
      return known === null ? [] : [`${x(point.atMs)},${y(known)}`]
    })
    const legend = `<text x="${WIDTH - RIGHT}" y="${top - 8 - i * 14}" text-anchor="end" fill="${colour}">${label}</text>`
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>${legend}`
  })
  const heading = `<text x="${LEFT}" y="${top - 8}" font-weight="bold">${title}</text>`
  return [heading, ...times, ...values, ...paths].join('\n')
}
