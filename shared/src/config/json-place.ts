/** Punctuation, a string, or a number or word, after whitespace. RFC 8259. */
const TOKEN =
  // eslint-disable-next-line no-control-regex -- JSON's own rule for strings
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-]))/y

type Wanted = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or close' | 'end'

/**
 * Position of the first JSON syntax error, as "line 3, column 5"; null for valid JSON. `JSON.parse`
 * reports a position only in some versions and for some faults, and quotes the text, which may hold keys.
 */
export function jsonFaultPlace(text: string): string | null {
  const at = jsonFaultIndex(text)
  return at === null ? null : placeOf(text, at)
}

/** An index in a text as "line 3, column 5". */
export function placeOf(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
}

/** Index where a text stops being JSON; null: it is JSON. */
export function jsonFaultIndex(text: string): number | null {
  const open: string[] = []
  let wanted: Wanted = 'value'
  let at = 0
  for (;;) {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(text)
    const start = skipBlank(text, at)
    if (found === null) return wanted === 'end' && start === text.length ? null : start
    const kind = found[1] ?? (found[2] === undefined ? 'scalar' : 'string')
    const next = follow(kind, wanted, open)
    if (next === null) return start
    wanted = next
    at = TOKEN.lastIndex
  }
}

/** The tokens allowed after a token; null if the token is not allowed here. `open`: enclosing brackets. */
function follow(kind: string, wanted: Wanted, open: string[]): Wanted | null {
  const isValueWanted = wanted === 'value' || wanted === 'value or ]'
  switch (kind) {
    case '{':
    case '[':
      if (!isValueWanted) return null
      open.push(kind)
      return kind === '{' ? 'key or }' : 'value or ]'
    case '}':
    case ']':
      return close(kind, wanted, open)
    case ',':
      if (wanted !== ', or close') return null
      return open.at(-1) === '{' ? 'key' : 'value'
    case ':':
      return wanted === ':' ? 'value' : null
    default:
      if (isValueWanted) return afterValue(open)
      return kind === 'string' && wanted.startsWith('key') ? ':' : null
  }
}

function close(kind: '}' | ']', wanted: Wanted, open: string[]): Wanted | null {
  const [opened, whenEmpty] = kind === '}' ? ['{', 'key or }'] : ['[', 'value or ]']
  if (wanted !== whenEmpty && wanted !== ', or close') return null
  return open.pop() === opened ? afterValue(open) : null
}

function afterValue(open: readonly string[]): Wanted {
  return open.length === 0 ? 'end' : ', or close'
}

function skipBlank(text: string, from: number): number {
  let at = from
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++
  return at
}
