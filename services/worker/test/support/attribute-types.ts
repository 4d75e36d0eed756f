import { textOf, type Raw } from './raw-json.js'

/** How MoEngage might take the types of values. */
export interface TypeReadings {
  /** An attribute keeps the type of its first value, and values of others are ignored. */
  readonly typed: boolean
  /** Text that looks like a number, boolean or time is one. */
  readonly castsText: boolean
  readonly takesDecimalForInteger: boolean
  readonly takesBigNumbers: boolean
  readonly longUrl: 'cut' | 'ignored'
  readonly geoIsChecked: boolean
}

/** Characters that are kept of a value. */
export const KEPT = 512

/** Which values one customer's attributes take. */
export class AttributeTypes {
  readonly #r: TypeReadings
  readonly #types = new Map<string, string>()

  constructor(given: TypeReadings) {
    this.#r = given
  }

  known(): [string, string][] {
    return [...this.#types].sort()
  }

  forget(name: string): void {
    this.#types.delete(name)
  }

  /** Whether a value is taken; the first one gives the attribute its type. */
  take(name: string, value: Raw): boolean {
    if (this.#isRefused(name, value)) return false
    const type = typeOf(value, this.#r.castsText)
    if (type === 'big' && !this.#r.takesBigNumbers) return false
    const has = this.#types.get(name)
    if (!this.#r.typed || has === type) return true
    if (has === undefined) this.#types.set(name, type)
    else return has === 'integer' && type === 'decimal' && this.#r.takesDecimalForInteger
    return true
  }

  #isRefused(name: string, value: Raw): boolean {
    const { longUrl, geoIsChecked } = this.#r
    const text = textOf(value)
    const isUrl = value.type === 'string' && text.startsWith('https://')
    if (isUrl && text.length > KEPT) return longUrl === 'ignored'
    return name === 'geo' && geoIsChecked && !/^-?[\d.]+ -?[\d.]+$/.test(text)
  }
}

/** What texts look like, the first that fits. */
const LOOKS: readonly (readonly [RegExp, string])[] = [
  [/^(true|false|yes|no)$/i, 'boolean'],
  [/^-?\d{1,15}$/, 'integer'],
  [/^-?\d+$/, 'big'],
  [/^-?\d+\.\d+$/, 'decimal'],
  [/^-?\d[\d.]*[eE][-+]?\d+$/, 'big'],
]

function typeOf(value: Raw, castsText: boolean): string {
  const text = textOf(value)
  if (isOnCalendar(text)) return 'time'
  if (value.type === 'string' && !castsText) return 'text'
  const looks = LOOKS.find(([pattern]) => pattern.test(text))
  return looks?.[1] ?? value.type
}

/** Whether a text begins with a day that there is. */
function isOnCalendar(text: string): boolean {
  const [year, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  if (year === undefined || !/^\d{4}-\d\d-\d\dT/.test(text)) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(year, month, 0).getDate()
}
