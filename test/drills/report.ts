import type { DrillResult } from './run-drill.js'
import { sectionsOf, stepOf } from './page.js'

export interface ReportFacts {
  readonly factor: number
  /** Text of a page of the runbook by its name. */
  readonly page: (name: string) => string
}

const ROW_END = ' |'

/** The part of docs/reports/drills.md on one drill. */
export function drillSection(result: DrillResult, { page, factor }: ReportFacts): string {
  const { drill, boxes, status } = result
  return [
    `## ${drill.title}`,
    drill.injected,
    timeTable(result, factor),
    `**What the overview showed.** ${drill.reading}`,
    `Boxes at the alert: ${boxes.map(boxWords).join(' · ')}.`,
    `\`relay status\` at the same moment:`,
    `\`\`\`\n${status.trimEnd()}\n\`\`\``,
    '**What the runbook says, and what was done.**',
    ...drill.steps.map(({ page: name, step, did }) =>
      [
        `- [${name}](../runbook/${name}.md), step ${step}: “${stepOf(page(name), step)}”`,
        `  → ${did}`,
      ].join('\n'),
    ),
    `**Whether it worked.** ${outcome(result, page)}`,
  ].join('\n\n')
}

function timeTable(result: DrillResult, factor: number): string {
  const { drill, alerts, knownS, actedS, wellS } = result
  const rows: [number, string][] = [
    [0, 'trouble begins'],
    ...alerts.map(({ name, severity, firedS }): [number, string] => [
      firedS,
      `[${name}](../runbook/${name}.md) fires (${severity})`,
    ]),
    ...(drill.alerts.length === 0
      ? [[knownS, 'the metrics show it; no alert'] as [number, string]]
      : []),
    [actedS, 'dealt with by the book'],
    [wellS, 'all is well'],
    ...alerts.flatMap(({ name, endedS }): [number, string][] =>
      endedS === null ? [] : [[endedS, `${name} ends`]],
    ),
  ]
  const lines = rows
    .toSorted(([a], [b]) => a - b)
    .map(([atS, what]) => `| ${atS} s | ${what}${ROW_END}`)
  const table = [
    `| after | what (rules ${factor} times as fast) |`,
    '| ---: | --- |',
    ...lines,
  ].join('\n')
  const still = alerts.flatMap(({ name, endedS }) => (endedS === null ? [name] : []))
  if (still.length === 0) return table
  return `${table}\n\nStill firing when the drill was over, as it looks back for longer: ${still.join(', ')}.`
}

function boxWords({ title, words, colour }: DrillResult['boxes'][number]): string {
  return `${title} **${words}**${colour === '' ? '' : ` (${colour})`}`
}

function outcome({ drill, actedS, wellS }: DrillResult, page: (name: string) => string): string {
  const [first] = drill.steps
  const text = first === undefined ? '' : sectionsOf(page(first.page)).get('How to confirm')
  const confirm = text?.replace(/^- /, '') ?? ''
  const checked = Object.keys(drill.well).join(', ')
  return (
    `Yes, ${wellS - actedS} s after the step was begun: ${checked}. ` +
    `The page's own test: “${confirm}”`
  )
}

/** The whole document; `sections` in the order of the drills. */
export function drillDocument(sections: readonly string[], { factor }: ReportFacts): string {
  return `${[INTRODUCTION.replaceAll('FACTOR', String(factor)), ...sections].join('\n\n')}\n`
}

const INTRODUCTION = `# Drills

Each trouble was brought about on a live relay (Redis, one api, two workers, the simulator in MoEngage's place, a shop that
posts 60 elements a second) with a real Prometheus and relay's own rules, noticed by its alert, and dealt with by what the page says.
\`npm run ops:drills\` does it all again and writes this page; \`npm run ops:drills -- NAME …\` only those named. It ends with an
error when an alert that has to fire does not, or when following the page does not help.

**Test time.** Every time in the rules is divided by FACTOR (five minutes are 15 s; at least 5 s for a window), the objective of 60 s is 10 s,
Prometheus scrapes every second, and the budget window is 10 s with 1,000 user updates and 3,000 events. relay's own times (retries every
2 s, probes) are as in production. Multiply what an alert needed by FACTOR for what it needs there.

The boxes are the single values of the dashboard _relay / Overview_ at the alert.

What relay answers to faults of operation and to mistakes of beginners is in [answers](answers.md).`
