import { table, type Row } from '../docs/table.js'
import type { Core } from './core.js'
import type { Files, Mutant } from './reports.js'

const HEAD = `# Mutation testing

A mutant is the code with one small change. A test suite that notices is said to kill it; a survivor is a change that no test minds.
Made by \`npm run mutation && npm run docs:mutation\`: Stryker's mutants of the pure core below against unit tests alone, without Redis
or processes. Stryker is fetched when asked for and is no dependency.

\`\`\`
npm run mutation -- --mutate 'shared/src/gate/gate.ts,services/worker/src/retry/*.ts'   some files; the others' results are kept
npm run docs:mutation                                                                  this document; refuses while a file has changed since
npm run mutation:survivors -- gate.ts                                                   every survivor in full
\`\`\`

- **killed** counts mutants with which a test failed or a module did not load; **endless** those with which a test took twenty times
  as many steps as without (in steps, not in time: a busy machine kills nothing).
- All of Stryker's changes count, messages' wording included. What a module computes when it loads counts too.
- Jest takes more than a second to begin, so the tests run in one process: \`dev/src/mutation/runner\`, a test runner of Stryker's. It
  loads relay's modules anew for every mutant, so nothing that one leaves behind is held against the next.
- Properties look at 40 cases of theirs (at 300 or all, where a test needs them to hold), always the same ones: a score is had again,
  and is rather too low than too high.
- Only unit tests that take milliseconds are asked (\`tests\` in \`dev/mutation/core.json\`). What goes over HTTP or Redis, simulates
  hours or makes thousands of cases is not, nor are the acceptance tests and the fault suite: a survivor may well be caught there.
`

const NOTES = `## Why some cannot be killed

Gate, budgets, classification, retry, scaling and the ceiling were looked at mutant by mutant; what is left of them is one of these. Of the
others the greater part was looked at; most that a test could still kill is in \`validate/format.ts\`, \`validate/element.ts\`,
\`validate/names.ts\` and \`identity/identity.ts\`.

- **The same by another way.** \`>=\` for \`>\` where both branches give the same at the bound (\`Math.max\`, clamping, an empty slice), a
  shortcut that only saves work (\`if (held.size > 0 && …)\`, a cache, an early return before a loop that finds nothing).
- **Excluded by the types or by a stage before.** A default behind \`??\` for an index that is always in range, a \`kind\` that was checked.
- **Wording.** Messages for people; tests look for the place and the rule, and that no secret or customer value is quoted.
- **Sizes that only tune.** A buffer's first size, a compression level, how many misses end a search.
`

const KILLED = new Set(['Killed'])
const ENDLESS = new Set(['Timeout'])
const LEFT = new Set(['Survived', 'NoCoverage'])
/** Survivors of a file that are shown; all of them: `npm run mutation:survivors`. */
const MOST_SHOWN = 6
const LONGEST = 60

interface Counted {
  readonly file: string
  readonly killed: number
  readonly endless: number
  readonly left: readonly Mutant[]
}

/** `docs/mutation.md`. */
export function mutationDocument(core: readonly string[], files: Files, defined: Core): string {
  const counted = core.map((file): Counted => {
    const { mutants = [] } = files[file] ?? {}
    const count = (of: ReadonlySet<string>) => mutants.filter(({ status }) => of.has(status))
    return { file, killed: count(KILLED).length, endless: count(ENDLESS).length, left: count(LEFT) }
  })
  const sum = (of: (one: Counted) => number) => counted.reduce((all, one) => all + of(one), 0)
  const all = [sum((o) => o.killed), sum((o) => o.endless), sum((o) => o.left.length)] as const
  const rows = counted.map(({ file, killed, endless, left }) =>
    row(`\`${file}\``, killed, endless, left.length),
  )
  return `${[
    HEAD.trimEnd(),
    `## Score: ${score(...all)}`,
    table([['file', 'killed', 'endless', 'survived', 'score'], ...rows, row('**all**', ...all)]),
    'A file without mutants holds types or constants alone.',
    leftOut(defined),
    NOTES.trimEnd(),
    '## Survivors',
    `By line, at most ${String(MOST_SHOWN)} of a file.`,
    ...counted.filter(({ left }) => left.length > 0).map(survivors),
  ].join('\n\n')}\n`
}

function leftOut({ leftOut: groups }: Core): string {
  const lines = groups.map(({ reason, files }) => {
    const names = files.map((file) => `\`${file.replace(/(services\/)?(\w+)\/src\//, '$2/')}\``)
    return `- ${reason}: ${names.join(', ')}`
  })
  return `## Not in the core, though beside it\n\n${lines.join('\n')}`
}

function survivors({ file, left }: Counted): string {
  const inOrder = left.toSorted((a, b) => a.location.start.line - b.location.start.line)
  const shown = inOrder.slice(0, MOST_SHOWN).map(({ mutatorName, replacement = '', location }) => {
    const text = replacement.replaceAll(/\s+/g, ' ').trim()
    const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
    return `- ${String(location.start.line)}, ${mutatorName}: \`\` ${short} \`\``
  })
  const more = inOrder.length - shown.length
  const rest = more > 0 ? [`- and ${String(more)} more`] : []
  return `### ${file}\n\n${[...shown, ...rest].join('\n')}`
}

function row(name: string, killed: number, endless: number, left: number): Row {
  return [name, String(killed), String(endless), String(left), score(killed, endless, left)]
}

function score(killed: number, endless: number, left: number): string {
  const all = killed + endless + left
  return all === 0 ? '' : `${((100 * (killed + endless)) / all).toFixed(1)} %`
}
