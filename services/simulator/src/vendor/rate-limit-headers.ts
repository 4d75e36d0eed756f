import type { BudgetGauge } from '../window/budgets.js'

/**
 * The format of the headers: the vendor's pages contradict each other about the reset (seconds left,
 * or seconds since 1970), and its gateway may append the window to the limit.
 */
export const HEADER_FORMS = ['off', 'seconds', 'epoch', 'envoy_seconds', 'envoy_epoch'] as const
export type HeaderForm = (typeof HEADER_FORMS)[number]

/** `x-ratelimit-*` of an answer. `nowMs`: wall clock. */
export function rateLimitHeaders(
  { limit, remaining, resetMs, windowMs }: BudgetGauge,
  form: HeaderForm,
  nowMs: number,
): Record<string, string> {
  if (form === 'off') return {}
  const epoch = form === 'epoch' || form === 'envoy_epoch'
  const envoy = form === 'envoy_seconds' || form === 'envoy_epoch'
  const text = String(limit)
  const windowSeconds = String(Math.ceil(windowMs / 1000))
  return {
    'x-ratelimit-limit': envoy ? `${text}, ${text};w=${windowSeconds}` : text,
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil((epoch ? nowMs + resetMs : resetMs) / 1000)),
  }
}
