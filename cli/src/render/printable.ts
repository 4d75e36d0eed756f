/** Control characters, line separators and bidirectional controls. */
const STEERING =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Removes characters that would control the terminal. */
export function printable(text: string): string {
  return text.replaceAll(STEERING, ' ')
}
