/** One thing that was looked at. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failed'
  readonly what: string
  readonly detail: string
  /** What to do about it; null when nothing. */
  readonly remedy: string | null
}

export function ok(what: string, detail: string): Finding {
  return { level: 'ok', what, detail, remedy: null }
}

export function warning(what: string, detail: string, remedy: string): Finding {
  return { level: 'warning', what, detail, remedy }
}

export function failed(what: string, detail: string, remedy: string): Finding {
  return { level: 'failed', what, detail, remedy }
}
