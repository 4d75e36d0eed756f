import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { findPrometheus } from '@relay/tools/fetch/programs.js'
import { writePage } from '@relay/tools/docs/page.js'
import { DRILLS } from './all.js'
import { drillDocument, drillSection, type ReportFacts } from './report.js'
import { runDrill } from './run-drill.js'
import { FACTOR } from './drill-setup.js'

// npm run ops:drills [-- NAME …]: runs the drills and writes docs/reports/drills.md.
// Services are run as built: npm run build first.

const EX_USAGE = 64
const DOCUMENT = join(ROOT, 'docs/reports/drills.md')

const facts: ReportFacts = {
  factor: FACTOR,
  page: (name) => readFileSync(join(ROOT, 'docs/runbook', `${name}.md`), 'utf8'),
}

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !DRILLS.some((drill) => drill.name === name))
  if (unknown.length > 0) {
    console.error(
      `No such drill: ${unknown.join(', ')}. There are: ${DRILLS.map(({ name }) => name).join(', ')}`,
    )
    return EX_USAGE
  }
  const programs = await findPrometheus(console.log)
  if ('problem' in programs) throw new Error(`No Prometheus: ${programs.problem}`)
  const sections = await keptSections()
  const failed: string[] = []
  for (const drill of DRILLS) {
    if (wanted.length > 0 && !wanted.includes(drill.name)) continue
    try {
      const result = await runDrill(drill, programs, console.log)
      sections.set(drill.title, drillSection(result, facts))
      await writeDocument(sections)
    } catch (error) {
      failed.push(drill.name)
      console.error(`${drill.title}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

/** What the page says of drills that are not run this time. */
async function keptSections(): Promise<Map<string, string>> {
  const text = await readFile(DOCUMENT, 'utf8').catch(() => '')
  const parts = text.split(/^(?=## )/m).slice(1)
  return new Map(parts.map((part) => [/^## +(.*)/.exec(part)?.[1] ?? '', part.trim()]))
}

async function writeDocument(sections: ReadonlyMap<string, string>): Promise<void> {
  const present = DRILLS.flatMap(({ title }) => sections.get(title) ?? [])
  await writePage(DOCUMENT, drillDocument(present, facts))
}

process.exitCode = await main(process.argv.slice(2))
