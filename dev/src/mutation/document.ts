import { table, type Row } from '../docs/table.js'

/** The parts of Stryker's report (mutation-testing-report-schema) that are looked at. */
export interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>
}

interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number } }
}

const HEAD = `# Mutation testing

A mutant is the code with one small change. A test suite that notices is said to kill it; a survivor is a change that no test minds.
Made by \`npm run mutation && npm run docs:mutation\`: Stryker with the unit tests alone, without Redis or processes, on the pure core.
Stryker is fetched when asked for and is no dependency. Files that the table does not name were not measured yet
(\`npm run mutation -- --mutate FILE,FILE\` measures some).

- **killed** counts mutants that a test noticed, by failing or by not ending.
- Left out are mutants of constants that are computed when a module loads (their tests would have to load it anew), \`batch/pack.ts\` and
  \`gate/adaptation.ts\`.
- Integration tests and the fault suite do not count here, so a survivor may well be caught there.
`

const KILLED = new Set(['Killed', 'Timeout'])
const LEFT = new Set(['Survived', 'NoCoverage'])
const LONGEST = 60

/** `docs/mutation.md`. */
export function mutationDocument({ files }: Report): string {
  const counted = Object.entries(files).map(([file, { mutants }]) => ({
    file,
    killed: mutants.filter(({ status }) => KILLED.has(status)).length,
    left: mutants.filter(({ status }) => LEFT.has(status)),
  }))
  const rows = counted.map(({ file, killed, left }): Row => {
    return [file, String(killed), String(left.length), score(killed, left.length)]
  })
  const killed = counted.reduce((sum, one) => sum + one.killed, 0)
  const left = counted.reduce((sum, one) => sum + one.left.length, 0)
  const all: Row = ['all', String(killed), String(left), score(killed, left)]
  const survivors = counted.flatMap((one) =>
    one.left.map((mutant): Row => survivor(one.file, mutant)),
  )
  return [
    HEAD.trimEnd(),
    `## Score: ${score(killed, left)}`,
    table([['file', 'killed', 'survived', 'score'], ...rows, all]),
    '## Survivors',
    table([['where', 'change', 'becomes'], ...survivors]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

function survivor(file: string, { mutatorName, replacement = '', location }: Mutant): Row {
  const text = replacement.replaceAll(/\s+/g, ' ')
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return [`${file}:${String(location.start.line)}`, mutatorName, `\`\` ${short} \`\``]
}

function score(killed: number, left: number): string {
  return `${((100 * killed) / Math.max(1, killed + left)).toFixed(1)} %`
}
