import { endOfString, endOfValue } from '@relay/shared/json/spans.js'
import { inside } from '../validate/findings.js'

/**
 * Copies of a JSON value's own bytes: no number, escape or key is rewritten. All functions require
 * valid JSON.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** `text` without whitespace outside strings; `whitespace` is how many bytes of it there are. */
export function compact(text: Buffer, whitespace: number): Buffer {
  const out = Buffer.allocUnsafe(text.length - whitespace)
  let to = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0
    if (!inString && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) continue
    out[to++] = byte
    if (byte === QUOTE) inString = !inString
    else if (inString && byte === BACKSLASH) out[to++] = text[++i] ?? 0
  }
  return out
}

interface Member {
  readonly key: string
  readonly omitted: boolean
  /** Bytes of `"key":value`, with duplicates inside the value already removed. */
  readonly text: Buffer
}

/** Whether a member that is null is left out. `path`: the names down to it; arrays add none. */
export type OmitsNull = (path: readonly string[]) => boolean

/** Receives the path of each member that is left out because a later one has its name. */
export type OnRepeated = (path: string) => void

/**
 * `text` (compact JSON) with every object holding each key once: the last member of a name stays,
 * in its place, because that is the value that JSON.parse, and so validation, saw. What MoEngage's
 * parser would do with duplicates is not documented. Members that are null and that `omitsNull`
 * names are left out.
 */
export function normalised(
  text: Buffer,
  omitsNull: OmitsNull,
  onRepeated: OnRepeated = () => undefined,
): Buffer {
  return new Rewriter(text, omitsNull, onRepeated).value('')
}

/** Recursive: depth is bounded before it is called. */
class Rewriter {
  readonly #text: Buffer
  readonly #omitsNull: OmitsNull
  readonly #onRepeated: OnRepeated
  readonly #path: string[] = []
  #at = 0

  constructor(text: Buffer, omitsNull: OmitsNull, onRepeated: OnRepeated) {
    this.#text = text
    this.#omitsNull = omitsNull
    this.#onRepeated = onRepeated
  }

  /** `place`: where the value stands, for a person. */
  value(place: string): Buffer {
    const first = this.#text[this.#at]
    if (first === 0x7b) return this.#object(place)
    if (first === 0x5b) return this.#array(place)
    return this.#upTo(endOfValue(this.#text, this.#at))
  }

  #object(place: string): Buffer {
    const members: Member[] = []
    this.#at++
    while (this.#text[this.#at] !== 0x7d) {
      const name = this.#upTo(endOfString(this.#text, this.#at))
      this.#at++
      const key = JSON.parse(name.toString('utf8')) as string
      this.#path.push(key)
      const value = this.value(inside(place, key))
      const omitted = value.equals(NULL) && this.#omitsNull(this.#path)
      this.#path.pop()
      members.push({ key, omitted, text: Buffer.concat([name, COLON, value]) })
      if (this.#text[this.#at] === 0x2c) this.#at++
    }
    this.#at++
    const last = new Map(members.map(({ key }, index) => [key, index]))
    members.forEach(({ key }, index) => {
      if (last.get(key) !== index) this.#onRepeated(inside(place, key))
    })
    const kept = members.filter(({ key, omitted }, index) => !omitted && last.get(key) === index)
    return join('{', kept.map((member) => member.text), '}') // prettier-ignore
  }

  #array(place: string): Buffer {
    const items: Buffer[] = []
    this.#at++
    while (this.#text[this.#at] !== 0x5d) {
      items.push(this.value(`${place}[${items.length}]`))
      if (this.#text[this.#at] === 0x2c) this.#at++
    }
    this.#at++
    return join('[', items, ']')
  }

  #upTo(end: number): Buffer {
    const part = this.#text.subarray(this.#at, end)
    this.#at = end
    return part
  }
}

const NULL = Buffer.from('null')
const COLON = Buffer.from(':')
const COMMA = Buffer.from(',')

function join(open: string, parts: readonly Buffer[], close: string): Buffer {
  const all: Buffer[] = [Buffer.from(open)]
  parts.forEach((part, index) => {
    if (index > 0) all.push(COMMA)
    all.push(part)
  })
  all.push(Buffer.from(close))
  return Buffer.concat(all)
}
