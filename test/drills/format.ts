/** Values as Grafana would write them, by its names of units. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '–'
  switch (unit) {
    case 'percentunit':
      return `${trimmed(value * 100, value > 0.995 && value < 1 ? 2 : 1)} %`
    case 's':
      return formatSeconds(value)
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB'])
    case 'cps':
      return `${compact(value)}/s`
    case 'reqps':
      return `${compact(value)} req/s`
    default:
      return compact(value)
  }
}

function formatSeconds(value: number): string {
  if (value === 0) return '0 s'
  if (value < 1) return `${trimmed(value * 1_000, value < 0.01 ? 1 : 0)} ms`
  if (value < 120) return `${trimmed(value, 1)} s`
  if (value < 7_200) return `${trimmed(value / 60, 1)} min`
  return `${trimmed(value / 3_600, 1)} h`
}

function compact(value: number): string {
  return value < 1_000
    ? String(Number(value.toPrecision(3)))
    : scaled(value, 1_000, ['', 'K', 'M']).trim()
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let rest = value
  let step = 0
  while (rest >= base && step < units.length - 1) {
    rest /= base
    step += 1
  }
  return `${trimmed(rest, rest < 10 ? 2 : 1)} ${units[step] ?? ''}`
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}
