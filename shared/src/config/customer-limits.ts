/** MoEngage's limit for one customer: at most `units` in any window of this length. */
export interface CustomerLimit {
  readonly units: number
  readonly windowMs: number
}

export const CUSTOMER_LIMITS_ACCEPTED = 'up to 8 of units/seconds, separated by commas, or off'

const MAX_LIMITS = 8
const MAX_UNITS = 1e9
/** Twice the vendor's longest window, which is a day; bounds the retention of counts. */
const MAX_WINDOW_SECONDS = 172_800

/** The limits in a text such as `5000/60,10000/300`, shortest window first; `off`: none. Null: invalid. */
export function parseCustomerLimits(text: string): readonly CustomerLimit[] | null {
  if (text.trim() === 'off') return []
  const limits: CustomerLimit[] = []
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,10})\s*\/\s*(\d{1,6})\s*$/.exec(part)
    const units = Number(match?.[1] ?? 0)
    const seconds = Number(match?.[2] ?? 0)
    if (units < 1 || units > MAX_UNITS || seconds < 1 || seconds > MAX_WINDOW_SECONDS) return null
    limits.push({ units, windowMs: seconds * 1000 })
  }
  if (limits.length > MAX_LIMITS) return null
  return limits.sort((a, b) => a.windowMs - b.windowMs)
}
