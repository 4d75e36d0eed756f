/** Colours of the pictures: on white, told apart also without red and green. */
export const COLOURS = {
  ground: '#f4f5f7',
  card: '#ffffff',
  ink: '#1a1d23',
  dim: '#5b6270',
  line: '#e3e6ec',
  green: '#1b7a43',
  yellow: '#b26a00',
  red: '#c0271d',
} as const

/** Of the curves of a panel, in order. */
const CURVES = [
  '#2563eb',
  '#d97706',
  '#0d9488',
  '#9333ea',
  '#dc2626',
  '#65a30d',
  '#0891b2',
  '#be185d',
  '#78716c',
  '#4f46e5',
] as const

export function curveColour(place: number): string {
  return CURVES[place % CURVES.length] ?? CURVES[0]
}

export const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, sans-serif'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A moment that all charts show as an upright line. */
export interface Mark {
  readonly atS: number
  /** One letter, explained under the picture. */
  readonly letter: string
}
