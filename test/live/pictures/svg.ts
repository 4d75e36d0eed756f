/** The few pieces of SVG that the pictures are made of; text is escaped here and nowhere else. */

type Attributes = Readonly<Record<string, string | number>>

export function element(name: string, attributes: Attributes, ...content: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(value)}"`)
  const open = `<${name}${written.join('')}`
  return content.length === 0 ? `${open}/>` : `${open}>${content.join('')}</${name}>`
}

export function text(content: string, x: number, y: number, more: Attributes = {}): string {
  return element('text', { x: rounded(x), y: rounded(y), ...more }, escape(content))
}

/** Tenths of a pixel are enough, and keep the files small. */
export function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

/** Text cut to what fits, at the mean width of a character. */
export function fitted(content: string, pixels: number, fontSize: number): string {
  const most = Math.floor(pixels / (fontSize * 0.56))
  return content.length <= most ? content : `${content.slice(0, Math.max(1, most - 1))}…`
}

/** About how wide text is. */
export function widthOf(content: string, fontSize: number): number {
  return content.length * fontSize * 0.56
}

function escape(value: string | number): string {
  return String(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
