import { cpus, loadavg, totalmem } from 'node:os'

/** Of the machine, what a reader needs to judge the numbers. */
export function machineFacts(repeat: number): string {
  const [processor] = cpus()
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`
  const load = (loadavg()[0] ?? 0).toFixed(1)
  return [
    `- ${String(cpus().length)} cores (${processor?.model.trim() ?? 'unknown'}), ${memory}, Node ${process.version}`,
    `- load average ${load} when it began: above 1 the machine was shared with other work, and only ratios of one session mean something`,
    `- each row ${String(repeat)}×: median, ± half the spread`,
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

export interface DocumentFacts {
  readonly machine: string
  readonly reports: readonly string[]
}

export function performanceDocument({ machine, reports }: DocumentFacts): string {
  return [INTRODUCTION, '## The machine', machine, ...reports].join('\n\n') + '\n'
}
