import type { PanelSpec } from '@relay/tools/ops/dashboards/panel.js'
import { formatValue } from './format.js'
import { element, fitted, text } from './svg.js'
import { COLOURS, type Box } from './theme.js'

type Values = readonly { readonly name: string; readonly value: number }[]

/** A panel with one value, or a few side by side. */
export function drawStat(spec: PanelSpec, values: Values, box: Box): string {
  const { x, y, width, height } = box
  const worst = values.map(({ value }) => colourOf(value, spec.limits)).find((c) => c !== null)
  const fill = worst ?? COLOURS.card
  const ink = worst === undefined ? COLOURS.ink : '#ffffff'
  const words = values.map(({ name, value }) => {
    const shown = spec.words?.[String(value)] ?? formatValue(value, spec.unit)
    return values.length > 1 ? `${name} ${shown}` : shown
  })
  const size = values.length > 1 ? 14 : 24
  const middle = { 'text-anchor': 'middle', fill: ink }
  const lines = (words.length === 0 ? ['no data'] : words).slice(0, 3)
  const first = y + height / 2 + 17 - ((lines.length - 1) * (size + 3)) / 2
  return [
    element('rect', { ...box, rx: 4, fill, stroke: COLOURS.line }),
    text(fitted(spec.title, width - 12, 12), x + width / 2, y + 18, { ...middle, 'font-size': 12 }),
    ...lines.map((line, i) =>
      text(line, x + width / 2, first + i * (size + 3), {
        ...middle,
        'font-size': size,
        'font-weight': 600,
      }),
    ),
  ].join('')
}

/** The colour of a value; null: the panel has none. Reversed limits: less is worse. */
export function colourOf(value: number, limits: PanelSpec['limits']): string | null {
  if (limits === undefined) return null
  const [yellow, red] = limits
  if (yellow > red) {
    if (value >= yellow || Number.isNaN(value)) return COLOURS.green
    return value >= red ? COLOURS.yellow : COLOURS.red
  }
  if (value >= red) return COLOURS.red
  return value >= yellow ? COLOURS.yellow : COLOURS.green
}
