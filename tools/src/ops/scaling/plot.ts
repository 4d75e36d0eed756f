import type { DayPoint } from './day.js'

const WIDTH = 960
const PANEL_HEIGHT = 150
const LEFT = 70
const GAP = 50
const DAY_MS = 86_400_000
/** One point in so many is drawn: a minute. */
const EVERY = 12

interface Line {
  readonly label: string
  readonly colour: string
  readonly value: (point: DayPoint) => number
}

const PANELS: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
  {
    title: 'Elements a second that arrive',
    lines: [{ label: 'arriving', colour: '#2563eb', value: (p) => p.arriving }],
  },
  {
    title: 'Elements that wait (outage 14:00 to 14:45, backfill of 6 million at 19:00)',
    lines: [{ label: 'waiting', colour: '#b45309', value: (p) => p.waiting }],
  },
  {
    title: 'Workers',
    lines: [
      { label: 'most the budgets can use', colour: '#9ca3af', value: (p) => p.mostUseful },
      { label: 'wanted', colour: '#15803d', value: (p) => p.wanted },
    ],
  },
]

/** A day of the scaling simulation as an SVG picture. */
export function plotDay(day: readonly DayPoint[]): string {
  const points = day.filter((_, i) => i % EVERY === 0)
  const height = PANELS.length * (PANEL_HEIGHT + GAP) + 20
  const panels = PANELS.map((panel, i) => plotPanel(panel, points, 30 + i * (PANEL_HEIGHT + GAP)))
  const size = `width="${String(WIDTH)}" height="${String(height)}"`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<rect ${size} fill="#ffffff"/>`,
    ...panels,
    '</svg>',
  ].join('\n')}\n`
}

function plotPanel(
  { title, lines }: (typeof PANELS)[number],
  points: readonly DayPoint[],
  top: number,
): string {
  const most = Math.max(...lines.flatMap(({ value }) => points.map(value)))
  const x = (atMs: number) => (LEFT + (atMs / DAY_MS) * (WIDTH - LEFT - 20)).toFixed(1)
  const y = (value: number) => (top + PANEL_HEIGHT * (1 - value / most)).toFixed(1)
  const hours = [0, 4, 8, 12, 16, 20, 24].map((hour) => {
    const at = x(hour * 3_600_000)
    const bottom = String(top + PANEL_HEIGHT)
    return (
      `<line x1="${at}" x2="${at}" y1="${String(top)}" y2="${bottom}" stroke="#e5e7eb"/>` +
      `<text x="${at}" y="${String(top + PANEL_HEIGHT + 14)}" text-anchor="middle">${String(hour)}:00</text>`
    )
  })
  const values = [0, most / 2, most].map(
    (value) =>
      `<text x="${String(LEFT - 6)}" y="${y(value)}" text-anchor="end">${value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 })}</text>`,
  )
  const paths = lines.map(({ label, colour, value }, i) => {
    const path = points.map((point) => `${x(point.atMs)},${y(value(point))}`).join(' ')
    const legend = `<text x="${String(WIDTH - 20)}" y="${String(top - 8 - i * 14)}" text-anchor="end" fill="${colour}">${label}</text>`
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${legend}`
  })
  const heading = `<text x="${String(LEFT)}" y="${String(top - 8)}" font-weight="bold">${title}</text>`
  return [heading, ...hours, ...values, ...paths].join('\n')
}
