import { VALUE_CHARACTERS_KEPT } from '@relay/shared/vendor/limits.js'

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

/** Whether a value that begins with this byte is neither an object nor a list. */
export function isScalar(first: number | undefined): boolean {
  return first !== OPEN_BRACE && first !== OPEN_BRACKET
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
