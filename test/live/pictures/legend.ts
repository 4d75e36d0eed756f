import { element, fitted, rounded, text, widthOf } from './svg.js'
import { COLOURS, curveColour, type Box } from './theme.js'

const LINE_HEIGHT = 15
const FONT_SIZE = 11
const PADDING = 10
/** Mark and gaps beside a name, pixels. */
const BESIDE = 26
/** More curves than this are counted, not named. */
const NAMED_MOST = 8

/** The names of curves along the foot of `box`, in as many lines as they need. */
export function drawLegend(
  names: readonly string[],
  box: Box,
): { readonly height: number; readonly drawn: string } {
  const room = box.width - 2 * PADDING
  const named = names.slice(0, NAMED_MOST).map((name) => fitted(name, room - BESIDE, FONT_SIZE))
  const rest = names.length - named.length
  const places = wrap(rest > 0 ? [...named, `+ ${String(rest)} more`] : named, room)
  const height = ((places.at(-1)?.line ?? 0) + 1) * LINE_HEIGHT
  const top = box.y + box.height - height - 2
  const drawn = places.map(({ name, x: left, line }, i) => {
    const x = box.x + PADDING + left
    const y = top + line * LINE_HEIGHT + 10
    const isNamed = i < named.length
    const mark = { x: rounded(x), y: y - 5, width: 12, height: 3, fill: curveColour(i) }
    const ink = isNamed ? COLOURS.ink : COLOURS.dim
    const label = text(name, isNamed ? x + 16 : x, y, { 'font-size': FONT_SIZE, fill: ink })
    return isNamed ? element('rect', mark) + label : label
  })
  return { height, drawn: drawn.join('') }
}

function wrap(names: readonly string[], room: number) {
  let x = 0
  let line = 0
  return names.map((name) => {
    const width = widthOf(name, FONT_SIZE) + BESIDE
    if (x > 0 && x + width > room) {
      x = 0
      line += 1
    }
    const place = { name, x, line }
    x += width
    return place
  })
}
