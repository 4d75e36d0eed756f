import { join } from 'node:path'
import { writePage } from '@relay/tools/docs/page.js'
import { ROOT } from '@relay/tools/folders.js'
import { MISTAKES } from './beginners.js'
import { newcomersClock, type Shown } from './clock.js'
import type { Line } from './line.js'
import { LINES } from './lines.js'
import { endRelays } from './workers.js'

// npm run ops:answers: brings each fault about again and writes docs/reports/answers.md. With numbers of
// lines it only prints what is seen. Services are run as built: npm run build first.

const code = (text: string) => {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' / ')
  return line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``
}
const cell = (text: string) => code(text).replaceAll('|', String.raw`\|`)

async function section({ lines, before, see }: Line): Promise<string> {
  console.log(`${lines.join(', ')}: ${before}`)
  const seen = Object.entries(await see()).map(([where, words]) => `- ${where}: ${code(words)}`)
  console.log(seen.join('\n'))
  return [`**${lines.join(', ')}.** Before: ${before}`, seen.join('\n')].join('\n\n')
}

async function mistakes(): Promise<string> {
  const rows: string[] = []
  for (const { mistake, see } of MISTAKES) {
    console.log(mistake)
    const [words, status] = await see()
    rows.push(`| ${mistake} | ${cell(words)} | ${status} |`)
  }
  return ['| mistake | answer | status |', '| --- | --- | --- |', ...rows].join('\n')
}

/** Lines that came together are one row. */
function clockTable(shown: readonly Shown[]): string {
  const moments: { atS: number; lines: string[] }[] = []
  for (const [atS, line] of shown) {
    const last = moments.at(-1)
    if (last !== undefined && atS - last.atS < 0.5 && !line.startsWith('$')) last.lines.push(line)
    else moments.push({ atS, lines: [line] })
  }
  const rows = moments.map(({ atS, lines }) => {
    const more = lines.length > 3 ? ` (and ${lines.length - 3} more lines)` : ''
    return `| ${atS.toFixed(1)} s | ${lines.slice(0, 3).map(cell).join('<br>')}${more} |`
  })
  return ['| after | on the screen |', '| ---: | --- |', ...rows].join('\n')
}

async function main(wanted: readonly string[]): Promise<void> {
  const sections: string[] = []
  for (const line of LINES) {
    if (wanted.length === 0 || line.lines.some((n) => wanted.includes(String(n))))
      sections.push(await section(line))
  }
  await endRelays()
  if (wanted.length > 0) return
  const table = await mistakes()
  const clock = clockTable(await newcomersClock())
  const page = [INTRODUCTION, ...sections, BEGINNERS, table, CLOCK, clock].join('\n\n')
  await writePage(join(ROOT, 'docs/reports/answers.md'), `${page}\n`)
}

const INTRODUCTION = `# Answers

What status, console, log and alerts say when something is wrong. \`npm run ops:answers\` brings each fault about on separate
processes with default settings (Redis, api, worker, the simulator in MoEngage's place), reads what is said and writes this page.
Alerts are those of Prometheus 3 with two relays side by side, with every time of the rules divided by 20. "Before" quotes
a review of an earlier version, which also gave the numbers. Lines of a text are separated by " / ". 8 and 9 show what kubectl
renders; 11 and 12 quote files and [the run on an engine](engine.md); 13, 14 and 16 quote files.

## Untrue or unsaid`

const BEGINNERS = `## Mistakes of beginners`

const CLOCK = `## A newcomer's clock

From \`git clone\` to the first delivered event, with an empty npm cache and no Redis on the machine, on two cores that do other work.`

try {
  await main(process.argv.slice(2))
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
