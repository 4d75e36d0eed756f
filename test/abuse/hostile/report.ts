import { cpus, loadavg } from 'node:os'
import type { Flooded } from './floods.js'
import { lastIn, type HostileInput } from './input.js'
import type { Played } from './run.js'
import type { Timing } from './wrong-keys.js'

export interface PlayedGroup {
  readonly name: string
  readonly rows: readonly Played[]
}

const HEAD = `# Hostile inputs

What becomes of requests that no honest producer sends. Each was played against a live api, with a well-behaved
producer beside it all the time, on a connection that it keeps and on a new one for each post. Made by \`npm run security:inputs\`; the same inputs, but for the slow
ones, are part of \`npm run test:slow\` (\`test/abuse/hostile.slow.ts\`), where any other answer fails.

- **answer**: statuses in the order they came; "closed": the connection is closed without one. \`n × 200\`: so many of them.
- **time**: until the connection (the last one of several) was closed by relay.
- **memory**: the most resident memory of the api seen meanwhile. It is one process for the whole table: what one input
  took shows in the next ones, too, until Node gives it back.
- **neighbour**: posts of the well-behaved producer answered meanwhile, and the slowest of them. All were answered 200 unless it says otherwise.
`

/** `docs/reports/security-inputs.md`, from what was seen. */
export function document(
  groups: readonly PlayedGroup[],
  floods: readonly Flooded[],
  timing: Timing,
): string {
  const rows = groups.flatMap((group) => group.rows)
  const wrong = rows.filter((row) => !isAsExpected(row))
  const harmed = rows.filter(({ neighbour }) => neighbour.others > 0)
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}, load average ${(loadavg()[0] ?? 0).toFixed(1)} at the end`
  const summary = [
    `${rows.length} inputs on ${machine}.`,
    wrong.length === 0
      ? 'All were answered as expected and closed in time.'
      : `**Not as expected: ${wrong.map(({ input }) => input.name).join('; ')}.**`,
    harmed.length === 0
      ? 'The neighbour was answered 200 every time.'
      : `**The neighbour was harmed by: ${harmed.map(({ input }) => input.name).join('; ')}.**`,
    `The api never held more than ${Math.max(...rows.map(({ most }) => most.residentMiB))} MiB and ${Math.max(...rows.map(({ most }) => most.descriptors))} descriptors.`,
  ]
  return (
    [
      HEAD,
      summary.join(' '),
      ...groups.map(section),
      floodSection(floods),
      timingSection(timing),
    ].join('\n\n') + '\n'
  )
}

export function isAsExpected({ input, exchanged }: Played): boolean {
  const expected = input.answers.join()
  return exchanged.every(({ statuses, closed }) => closed && statuses.join() === expected)
}

function section({ name, rows }: PlayedGroup): string {
  const lines = rows.map((row) => `| ${cells(row).join(' | ')} |`)
  const head =
    '| input | answer | time, ms | memory, MiB | neighbour |\n| --- | --- | --- | --- | --- |'
  return `## ${name}\n\n${head}\n${lines.join('\n')}`
}

function cells({ input, exchanged, most, neighbour }: Played): string[] {
  const elapsedMs = Math.max(...exchanged.map((one) => one.elapsedMs))
  const { answered, others, slowestMs } = neighbour
  const harm = others === 0 ? '' : `, **${others} not 200**`
  return [
    escaped(nameOf(input)),
    answersOf(exchanged.map(({ statuses }) => statuses)),
    elapsedMs.toFixed(0),
    String(most.residentMiB),
    answered + others === 0 ? '–' : `${answered}, ${slowestMs.toFixed(0)} ms${harm}`,
  ]
}

function nameOf(input: HostileInput): string {
  const where = input.listener === 'ops' ? ' (ops port)' : ''
  return `${input.name}${lastIn(input)}${where}`
}

/** Distinct answers of the connections. */
function answersOf(statuses: readonly (readonly number[])[]): string {
  return [...new Set(statuses.map(oneAnswer))].join(' or ')
}

function oneAnswer(statuses: readonly number[]): string {
  const [first] = statuses
  if (first === undefined) return 'closed'
  const same = statuses.every((status) => status === first)
  return same && statuses.length > 1 ? `${statuses.length} × ${first}` : statuses.join(', ')
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('_', '\\_')

export function floodSection(floods: readonly Flooded[]): string {
  const lines = floods.map(
    ({ what, answers, before, during, slowestHealthMs, mostMiB, ...rest }) => {
      const told = Object.entries(answers).map(([status, times]) => `${times} × ${status}`)
      const lap = ({ answered, others, medianMs, p99Ms, slowestMs }: Flooded['before']) =>
        `${answered}, ${[medianMs, p99Ms, slowestMs].map((ms) => ms.toFixed(0)).join(' / ')} ms${others === 0 ? '' : `, **${others} not 200**`}`
      const descriptors = `${rest.mostDescriptors} / ${rest.lastDescriptors}`
      const gone = rest.goneMs === null ? 'still open' : `${(rest.goneMs / 1_000).toFixed(1)} s`
      return `| ${[what, told.join(', ') || 'none read', lap(before), lap(during), slowestHealthMs.toFixed(0), mostMiB, descriptors, gone].join(' | ')} |`
    },
  )
  return [
    '## A producer that wants all there is',
    `Each for ${floods[0]?.seconds ?? 0} s, from its own process on the same machine. The neighbour is another producer with one connection that it keeps and a new one for each post: its posts answered 200, and the median, 99th percentile and slowest of them, for as long before. Descriptors: most, and at the end, while the flooder still has its connections. Closed: when the api had closed the last of the flood's connections, from the flood's begin, by the api's own descriptors. Each flood starts once the neighbour is served as before the last one.`,
    `| flood | its answers | neighbour before | neighbour meanwhile | slowest /healthz, ms | memory, MiB | descriptors | closed after |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n${lines.join('\n')}`,
  ].join('\n\n')
}

function timingSection({ rounds, rows }: Timing): string {
  const lines = rows.map(
    ({ what, medianUs, p90Us }) => `| ${what} | ${medianUs.toFixed(0)} | ${p90Us.toFixed(0)} |`,
  )
  return [
    '## The time of a wrong key',
    `${rounds} posts of each kind in turn, on one connection. What differs between the rows is noise of the machine: every secret is compared, in full, for any secret that is sent.`,
    `| key | median, µs | 90th percentile, µs |\n| --- | --- | --- |\n${lines.join('\n')}`,
  ].join('\n\n')
}
