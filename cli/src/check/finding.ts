/** The result of one check. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failed'
  readonly what: string
  readonly detail: string
  /** The remedy; null if none is needed. */
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
