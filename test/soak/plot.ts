import type { Sample } from './sample.js'

const WIDTH = 960
const PANEL_HEIGHT = 130
const LEFT = 70
const RIGHT = 20
const GAP = 46
const TOP = 30

interface Line {
  readonly label: string
  readonly colour: string
  readonly value: (sample: Sample) => number | null
}

const PANELS: readonly { readonly title: string; readonly lines: readonly Line[] }[] = [
  {
    title: 'Resident memory, MiB',
    lines: [
      { label: 'api', colour: '#2563eb', value: (s) => s.apiMiB },
      { label: 'worker', colour: '#15803d', value: (s) => s.workerMiB },
      { label: 'Redis (data)', colour: '#b45309', value: (s) => s.redisMiB },
    ],
  },
  {
    title: 'Descriptors',
    lines: [
      { label: 'api', colour: '#2563eb', value: (s) => s.apiDescriptors },
      { label: 'worker', colour: '#15803d', value: (s) => s.workerDescriptors },
    ],
  },
  {
    title: 'Keys in Redis',
    lines: [{ label: 'keys', colour: '#b45309', value: (s) => s.redisKeys }],
  },
  {
    title: 'Accepted to delivered, mean of each sample, ms',
    lines: [{ label: 'latency', colour: '#7c3aed', value: (s) => s.latencyMs }],
  },
  {
    title: 'Load average of the machine (all that ran on it)',
    lines: [{ label: 'load', colour: '#64748b', value: (s) => s.loadAverage }],
  },
]

/** The samples as an SVG picture, one panel below the other. */
export function plotSoak(samples: readonly Sample[]): string {
  const height = TOP + PANELS.length * (PANEL_HEIGHT + GAP)
  const size = `width="${String(WIDTH)}" height="${String(height)}"`
  const panels = PANELS.map((panel, i) => plotPanel(panel, samples, TOP + i * (PANEL_HEIGHT + GAP)))
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<rect ${size} fill="#ffffff"/>`,
    ...panels,
    '</svg>',
  ].join('\n')}\n`
}

function plotPanel(
  { title, lines }: (typeof PANELS)[number],
  samples: readonly Sample[],
  top: number,
): string {
  const lastMs = Math.max(1, samples.at(-1)?.atMs ?? 1)
  const most = Math.max(1, ...lines.flatMap(({ value }) => samples.map((s) => value(s) ?? 0)))
  const x = (atMs: number) => (LEFT + (atMs / lastMs) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const y = (value: number) => (top + PANEL_HEIGHT * (1 - value / most)).toFixed(1)
  const times = [0, 1, 2, 3, 4].map((quarter) => {
    const atMs = (lastMs * quarter) / 4
    const at = x(atMs)
    const label = `${(atMs / 60_000).toFixed(1)} min`
    return (
      `<line x1="${at}" x2="${at}" y1="${String(top)}" y2="${String(top + PANEL_HEIGHT)}" stroke="#e5e7eb"/>` +
      `<text x="${at}" y="${String(top + PANEL_HEIGHT + 14)}" text-anchor="middle">${label}</text>`
    )
  })
  const values = [0, most / 2, most].map(
    (value) =>
      `<text x="${String(LEFT - 6)}" y="${y(value)}" text-anchor="end">${value.toFixed(0)}</text>`,
  )
  const paths = lines.map(({ label, colour, value }, i) => {
    const points = samples.flatMap((sample) => {
      const at = value(sample)
      return at === null ? [] : [`${x(sample.atMs)},${y(at)}`]
    })
    const legend = `<text x="${String(WIDTH - RIGHT - i * 90)}" y="${String(top - 8)}" text-anchor="end" fill="${colour}">${label}</text>`
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>${legend}`
  })
  const heading = `<text x="${String(LEFT)}" y="${String(top - 8)}" font-weight="bold">${title}</text>`
  return [heading, ...times, ...values, ...paths].join('\n')
}
