/**
 * A reader of JSON that keeps what `JSON.parse` loses: the spelling of numbers, the order of
 * members, and names that stand twice. For models of MoEngage.
 */
export type Raw =
  | { readonly type: 'object'; readonly members: readonly (readonly [string, Raw])[] }
  | { readonly type: 'array'; readonly items: readonly Raw[] }
  | { readonly type: 'string'; readonly text: string }
  /** Number, boolean or null, as it is spelt. */
  | { readonly type: 'other'; readonly text: string }

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+)/y

export function readRaw(json: string): Raw {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(json); match !== null; match = TOKEN.exec(json)) {
    tokens.push(match[1] ?? '')
  }
  const next = (): string => tokens.shift() ?? ''
  const value = (token: string): Raw => {
    if (token === '{') return { type: 'object', members: list('}', member) }
    if (token === '[') return { type: 'array', items: list(']', value) }
    if (token.startsWith('"')) return { type: 'string', text: JSON.parse(token) as string }
    return { type: 'other', text: token }
  }
  const member = (token: string): readonly [string, Raw] => {
    if (next() !== ':') throw new Error(`no colon after ${token} in ${json}`)
    return [JSON.parse(token) as string, value(next())]
  }
  const list = <T>(close: string, read: (token: string) => T): T[] => {
    const items: T[] = []
    for (let token = next(); token !== close; token = next()) {
      if (token === ',') continue
      if (token === '') throw new Error(`not closed: ${json}`)
      items.push(read(token))
    }
    return items
  }
  const read = value(next())
  if (tokens.length > 0) throw new Error(`more behind it: ${json}`)
  return read
}

/** The member of this name that comes last, as most readers take it. */
export function memberOf(raw: Raw, name: string): Raw | undefined {
  return raw.type === 'object' ? raw.members.findLast(([own]) => own === name)?.[1] : undefined
}

/** The text of a scalar, else ''. */
export function textOf(value: Raw | undefined): string {
  return value?.type === 'string' || value?.type === 'other' ? value.text : ''
}
