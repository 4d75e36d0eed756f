/** A page of the runbook by its headings; each section without its blank ends. */
export function sectionsOf(page: string): ReadonlyMap<string, string> {
  const parts = page.split(/^## +/m).slice(1)
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n')
      return [part.slice(0, end).trim(), part.slice(end).trim()]
    }),
  )
}

/** The words of a numbered step under _What to do_; throws when the page has no such step. */
export function stepOf(page: string, step: number): string {
  const steps = sectionsOf(page).get('What to do') ?? ''
  const found = new RegExp(`^${step}\\. +(.*)$`, 'm').exec(steps)?.[1]
  if (found === undefined) throw new Error(`The page has no step ${step} under "What to do"`)
  return found
}
