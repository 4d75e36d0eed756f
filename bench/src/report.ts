import { cpus, loadavg, totalmem } from 'node:os'
import { groupBy } from '@relay/shared/group-by.js'
import { median, spread } from './measure.js'
import type { Medians, Row, Sample } from './rows/row.js'

/** Of the machine, what a reader needs to judge the numbers. */
export function machineFacts(repeat: number): string {
  const [processor] = cpus()
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return [
    `- ${cpus().length} cores (${processor?.model.trim() ?? 'unknown'}), ${memory}, Node ${process.version}`,
    `- load average ${load} when it began: above 1 the machine was shared with other work, and only ratios of one session mean something`,
    `- each row ${repeat}×: median, ± half the spread`,
  ].join('\n')
}

const INTRODUCTION = `# Performance

Written by \`npm run bench\`: all contenders in one session on one machine, one after the other, each
with a Redis of its own (\`appendfsync everysec\`).

- **floor**: what no design can go below. Intake: \`node:http\`, \`JSON.parse\`, one auto-pipelined
  \`RPUSH\` of the body. Drain: \`LMPOP\` of elements ready to be sent, joined into full requests.
- **naive**: what one would write in an afternoon. Express, zod, one BullMQ job per element
  (\`addBulk\`); a standard Worker that sends one request per element, a hundred at a time.
- **relay**: the built services, default settings, budgets that do not bind unless a row says so; without
  coalescing, so that all send the same elements.

µs/element is processor time of the contender and its Redis, all threads, from the operating
system's books. Load generator and the stand-in for MoEngage are processes of their own and are not
counted. Elements are those of the traffic generator, about 400 bytes.

What bounds the rows that miss their targets: [performance-limits.md](../design/performance-limits.md). How much of a budget is
used: [budget-use.md](budget-use.md).`

export function performanceDocument(machine: string, reports: readonly string[]): string {
  return [INTRODUCTION, '## The machine', machine, ...reports].join('\n\n') + '\n'
}

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

const byContender = (samples: readonly Sample[]) => groupBy(samples, ({ contender }) => contender)

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
