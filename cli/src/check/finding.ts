/** The result of one check. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'failed'
  readonly what: string
  readonly detail: string
  /** null if none is needed. */
  readonly remedy: string | null
}

const finding =
  (level: Finding['level']) =>
  (what: string, detail: string, remedy: string): Finding => ({ level, what, detail, remedy })

export const warning = finding('warning')
export const failed = finding('failed')
export const ok = (what: string, detail: string): Finding => {
  return { level: 'ok', what, detail, remedy: null }
}
