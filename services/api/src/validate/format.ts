/** RFC 5321 as far as JSON Schema's `email` goes: local part, "@", host with a dot. */
const EMAIL =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** Longest address that is checked, characters. RFC 5321 4.5.3.1: 64 + "@" + 255. */
const EMAIL_CHARACTERS = 320

export function isEmail(value: unknown): boolean {
  return typeof value === 'string' && value.length <= EMAIL_CHARACTERS && EMAIL.test(value)
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/** RFC 3339's date-time, with seconds and zone. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

export function isIsoDateTime(value: unknown): boolean {
  return typeof value === 'string' && DATE_TIME.test(value) && parseTime(value) !== null
}

/** A day, `YYYY-MM-DD`. */
export function isDate(value: unknown): boolean {
  return typeof value === 'string' && value.length === 10 && parseTime(value)?.zoned === false
}

export interface Time {
  /** Milliseconds since 1970; of a time without zone, as if it were UTC. */
  readonly epochMs: number
  /** The text contains an offset from UTC. */
  readonly zoned: boolean
}

/** Epoch numbers from here on are milliseconds: as seconds they would be after the year 5138. */
const FIRST_MILLISECONDS = 1e11

const EPOCH = /^\d{1,16}(?:\.\d{1,9})?$/

/** A time as MoEngage documents it: ISO 8601, or epoch seconds or milliseconds, also as text. */
export function parseTime(value: unknown): Time | null {
  if (typeof value === 'number') return epochTime(value)
  if (typeof value !== 'string' || value.length > 40) return null
  const usual = usualTime(value)
  if (usual !== null) return usual
  return EPOCH.test(value) ? epochTime(Number(value)) : anyIsoTime(value)
}

function epochTime(value: number): Time | null {
  if (!(value >= 0)) return null
  return { epochMs: value < FIRST_MILLISECONDS ? value * 1000 : value, zoned: true }
}

/** `2019-05-21T03:47:35Z`, with or without milliseconds: the usual form, without a regex. */
function usualTime(text: string): Time | null {
  const { length } = text
  if (!(length === 20 || (length === 24 && text[19] === '.')) || !hasSeparators(text)) return null
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const dateMs = dayMs(year, twoDigits(text, 5), twoDigits(text, 8))
  const timeMs = clockMs(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
  const fractionMs = length === 20 ? 0 : twoDigits(text, 20) * 10 + digit(text, 22)
  if (dateMs === null || timeMs === null || Number.isNaN(fractionMs)) return null
  return { epochMs: dateMs + timeMs + fractionMs, zoned: true }
}

/** The characters before the fraction, and the zone Z. */
function hasSeparators(text: string): boolean {
  return (
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text.endsWith('Z')
  )
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1)
}

/** NaN if it is invalid. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 0x30
  return value >= 0 && value <= 9 ? value : NaN
}

function anyIsoTime(text: string): Time | null {
  const match = ISO.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction = '0', zone] = match
  const dateMs = dayMs(Number(year), Number(month), Number(day))
  const timeMs = clockMs(Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0))
  const offsetMs = zoneMs(zone ?? 'Z')
  if (dateMs === null || timeMs === null || offsetMs === null) return null
  const fractionMs = Number(`0.${fraction}`) * 1000
  return { epochMs: dateMs + timeMs + fractionMs - offsetMs, zoned: zone !== undefined }
}

/** The last day looked up: most times of consecutive posts are of one day. */
let lastDay = NaN
let lastDayMs: number | null = null

function dayMs(year: number, month: number, day: number): number | null {
  const asked = (year * 100 + month) * 100 + day
  if (asked !== lastDay) {
    lastDayMs = startOfDayMs(year, month, day)
    lastDay = asked
  }
  return lastDayMs
}

/** Start of a day; null if the day does not exist (Date.UTC would roll it into the next month). */
function startOfDayMs(year: number, month: number, day: number): number | null {
  const startMs = Date.UTC(year, month - 1, day)
  const date = new Date(startMs)
  return date.getUTCDate() === day && date.getUTCMonth() === month - 1 ? startMs : null
}

function clockMs(hour: number, minute: number, second: number): number | null {
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return null
  return (hour * 3600 + minute * 60 + second) * 1000
}

function zoneMs(zone: string): number | null {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', ''))
  if (hours > 23 || minutes > 59) return null
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
