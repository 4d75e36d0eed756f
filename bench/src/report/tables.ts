import { median, spread } from '../measure/statistics.js'
import type { Medians, Row, Sample } from '../rows/row.js'

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function number(value: number, digits: number): string {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

function byContender(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const group = groups.get(sample.contender)
    if (group) group.push(sample)
    else groups.set(sample.contender, [sample])
  }
  return groups
}

function mediansOf(samples: readonly Sample[]): Medians {
  const columns = (own: readonly Sample[]) => {
    const names = Object.keys(own[0]?.values ?? {})
    const values = (name: string) => own.map((sample) => sample.values[name] ?? Number.NaN)
    return Object.fromEntries(names.map((name) => [name, median(values(name))]))
  }
  return new Map([...byContender(samples)].map(([name, own]) => [name, columns(own)]))
}

/** What was measured, and what it should be: Markdown. */
export function rowReport(row: Row, samples: readonly Sample[]): string {
  const contenders = [...byContender(samples)].map(([contender, own]) => [
    contender,
    ...row.columns.map(({ name, digits }) => {
      const values = own.map((sample) => sample.values[name] ?? Number.NaN)
      const range = values.length > 1 ? ` ±${number(spread(values) * 50, 0)} %` : ''
      return number(median(values), digits) + range
    }),
  ])
  const medians = mediansOf(samples)
  const targets = row.targets.map(({ what, wanted, digits, measured, isMet }) => {
    const value = measured(medians)
    const met = Number.isFinite(value) ? (isMet(value) ? 'yes' : '**no**') : 'not measured'
    return [what, wanted, number(value, digits), met]
  })
  return [
    `## ${row.title}`,
    table(['', ...row.columns.map(({ name }) => name)], contenders),
    table(['target', 'wanted', 'measured', 'met'], targets),
  ].join('\n\n')
}
