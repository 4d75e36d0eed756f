/** Control characters, line separators and bidirectional controls. */
const STEERING =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Removes characters that would control the terminal. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, ' ')
}

/** Columns as wide as their widest cell; `right` lists the right-aligned ones. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}

export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** `1 dead letter`, `2 dead letters`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
]

/** A duration in words: `42 s`, `3 min`, `1.5 h`. */
export function duration(seconds: number): string {
  for (const [unit, length] of UNITS) {
    if (seconds >= length * 1.5) return `${Math.round((seconds / length) * 10) / 10} ${unit}`
  }
  return `${Math.round(seconds * 10) / 10} s`
}
