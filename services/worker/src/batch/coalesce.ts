/**
 * Joins a run of elements of one customer into one element of a bulk body. Pure.
 *
 * Invariant: MoEngage ends with the same profile, and sees the same events with the same profile at each,
 * as if every element had been sent separately. The documentation leaves details open (`null`, values of
 * another type, side effects of identifiers), so elements are joined only where every interpretation gives
 * the same result. Decision record 9 lists the rules.
 */
import { ATTRIBUTES_PER_EVENT, VALUE_CHARACTERS_KEPT } from '@relay/shared/vendor/limits.js'
import { PLATFORMS_ATTRIBUTE } from '@relay/shared/vendor/user-attributes.js'
import {
  isNested,
  type Attribute,
  type EventShape,
  type Shape,
  type Shapes,
  type UserShape,
} from './shape.js'
import type { Item } from '../fetch/window.js'

/** Elements that one written element may stand for: bounds the work of joining. */
const MAX_JOINED = 100

/** Growth of a run by one more element. */
export interface Growth {
  readonly shape: Shape
  /** Bytes of JSON; negative where a shorter value replaces a longer one. */
  readonly bytes: number
  /** Budget units. */
  readonly cost: number
}

/** Elements that one element of the body stands for: adjacent in their customer's order. */
export class Run {
  readonly items: [Item, ...Item[]]
  /** Bytes of JSON as it will be written. */
  bytes: number
  /** Budget units that it costs as written. */
  cost: number
  #joined: Joined | null = null

  constructor(first: Item) {
    this.items = [first]
    this.bytes = first.element.jsonBytes
    this.cost = first.element.cost
  }

  /** Growth by `item`; null if joining it could change the result at MoEngage. */
  growthBy(item: Item, shapes: Shapes): Growth | null {
    const [first] = this.items
    if (this.items.length >= MAX_JOINED || first.window !== item.window) return null
    if (first.element.kind !== item.element.kind) return null
    const shape = shapes.of(item.element)
    if (shape === null) return null
    this.#joined ??= joinedOf(shapes.of(first.element))
    return this.#joined?.growthBy(shape, item.element.cost) ?? null
  }

  take(item: Item, { shape, bytes, cost }: Growth): void {
    this.items.push(item)
    this.bytes += bytes
    this.cost += cost
    this.#joined?.take(shape)
  }

  /** Writes its JSON, `bytes` long; returns where it ends. */
  write(target: Buffer, at: number): number {
    if (this.items.length === 1 || this.#joined === null) {
      return this.items[0].element.copyJson(target, at)
    }
    return this.#joined.parts().reduce((end, part) => end + part.copy(target, end), at)
  }
}

interface Joined {
  growthBy(shape: Shape, cost: number): Growth | null
  take(shape: Shape): void
  parts(): Buffer[]
}

function joinedOf(shape: Shape | null): Joined | null {
  switch (shape?.kind) {
    case 'user':
      return new JoinedUpdates(shape)
    case 'event':
      return new JoinedEvents(shape)
    case undefined:
      return null
  }
}

const COMMA = Buffer.from(',')

/** User updates: all attributes, each with its last value. They cost as much as one update. */
class JoinedUpdates implements Joined {
  readonly #first: UserShape
  readonly #attributes: Map<string, Attribute>

  constructor(first: UserShape) {
    this.#first = first
    this.#attributes = new Map(first.attributes)
  }

  growthBy(shape: Shape): Growth | null {
    const first = this.#first
    if (shape.kind !== 'user' || !framesAlike(first, shape)) return null
    // An update that is dropped for its identifiers must not take one without them along.
    if (shape.identifiers !== first.identifiers) return null
    let bytes = 0
    let count = this.#attributes.size
    for (const [key, attribute] of shape.attributes) {
      const earlier = this.#attributes.get(key)
      bytes += attribute.end - attribute.start
      if (earlier === undefined) {
        if (count > 0) bytes += 1
        count += 1
      } else if (mayReplace(earlier, attribute)) bytes -= earlier.end - earlier.start
      else return null
    }
    return count > ATTRIBUTES_PER_EVENT ? null : { shape, bytes, cost: 0 }
  }

  take(shape: Shape): void {
    if (shape.kind !== 'user') return
    for (const [key, attribute] of shape.attributes) {
      // Re-inserted at the end, so that names are in the order of their last updates.
      this.#attributes.delete(key)
      this.#attributes.set(key, attribute)
    }
  }

  parts(): Buffer[] {
    const texts = [...this.#attributes.values()].map(({ json, start, end }) =>
      json.subarray(start, end),
    )
    return [this.#first.head, ...separated(texts), this.#first.tail]
  }
}

/** Events: all actions, in order. They cost the same as separately, and save bytes. */
class JoinedEvents implements Joined {
  readonly #first: EventShape
  readonly #actions: Buffer[]

  constructor(first: EventShape) {
    this.#first = first
    this.#actions = [first.actions]
  }

  growthBy(shape: Shape, cost: number): Growth | null {
    if (shape.kind !== 'event' || !framesAlike(this.#first, shape)) return null
    return { shape, bytes: shape.actions.length + 1, cost }
  }

  take(shape: Shape): void {
    if (shape.kind === 'event') this.#actions.push(shape.actions)
  }

  parts(): Buffer[] {
    return [this.#first.head, ...separated(this.#actions), this.#first.tail]
  }
}

/** Whether the parts outside the joined member are byte-equal. */
function framesAlike(a: Shape, b: Shape): boolean {
  return a.head.equals(b.head) && a.tail.equals(b.tail)
}

/**
 * Whether setting an attribute to `earlier` and then to `later` is the same as setting it to
 * `later`: set to the same once more, or plain values that are taken or ignored alike.
 */
function mayReplace(earlier: Attribute, later: Attribute): boolean {
  const { name, json, value, end } = later
  if (earlier.name.name !== name.name) return false
  const same = sameBytes(earlier, later)
  if (same && (!isNested(json[value]) || name.name === PLATFORMS_ATTRIBUTE)) return true
  if (name.standard) return false
  if (same) return isPlainList(json.subarray(value, end))
  const taken = classOf(json, value, end)
  return taken !== null && taken === classOf(earlier.json, earlier.value, earlier.end)
}

/** Whether both are set to a value of the same bytes. */
function sameBytes(a: Attribute, b: Attribute): boolean {
  const length = a.end - a.value
  if (length !== b.end - b.value) return false
  return a.json.compare(b.json, b.value, b.end, a.value, a.end) === 0
}

function separated(texts: readonly Buffer[]): Buffer[] {
  return texts.flatMap((text, i) => (i === 0 ? [text] : [COMMA, text]))
}

/**
 * The types that MoEngage can interpret a value as. MoEngage accepts or ignores two values of one class
 * alike for every attribute type; only then may the later value replace both.
 */
export type ValueClass = 'boolean' | `${'' | 'text of '}${'integer' | 'decimal'}` | 'time' | 'text'

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b

/** Up to 15 digits: the same number in every parser. */
const INTEGER = /^-?\d{1,15}$/
const DECIMAL = /^-?\d{1,15}\.\d{1,15}$/
/** The vendor's documented format. openapi: ISO 8601 such as 2020-05-31T03:47:35Z. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/
/** Begins as a number or a time would. */
const NUMERIC = /^[-+.]?\d/
/** Strings that a lenient parser may read as a missing value or a boolean. */
const WORDS = new Set(
  'null none nil nan undefined infinity inf true false yes no on off t f y n'.split(' '),
)

/**
 * The class of the value at [start, end); null when it may stand for no other value: missing
 * (`null`, empty text), cut or refused for its length, read in more ways than one, or no scalar.
 */
export function classOf(json: Buffer, start: number, end: number): ValueClass | null {
  const text = json.toString('utf8', start, end)
  if (text.startsWith('"')) {
    return end - start - 2 > VALUE_CHARACTERS_KEPT ? null : classOfText(decode(text))
  }
  return text === 'true' || text === 'false' ? 'boolean' : classOfNumber(text)
}

/** Whether it is a list without objects, which is set as a whole: adding has separate operators. */
export function isPlainList(raw: Buffer): boolean {
  return raw[0] === OPEN_BRACKET && !raw.includes(OPEN_BRACE)
}

function decode(text: string): string {
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}

function classOfNumber(text: string): 'integer' | 'decimal' | null {
  if (INTEGER.test(text)) return 'integer'
  return DECIMAL.test(text) ? 'decimal' : null
}

function classOfText(text: string): ValueClass | null {
  const trimmed = text.trim()
  if (trimmed === '' || WORDS.has(trimmed.toLowerCase())) return null
  if (TIME.test(text)) return isDate(text) ? 'time' : null
  if (!NUMERIC.test(trimmed)) return 'text'
  const number = classOfNumber(text)
  return number === null ? null : `text of ${number}`
}

/** Not the 30th of February, which some parsers move and others refuse. */
function isDate(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 19))
}
