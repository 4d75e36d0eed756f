/** `npm run bench`: relay, a naive one and the floor side by side. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { buildServices, chooseRows, measureRow } from './bench.js'
import { parseOptions, USAGE, type Options } from './options.js'
import { machineFacts, performanceDocument, rowReport } from './report.js'

const EX_USAGE = 64

function options(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    chooseRows(parsed.rows)
    return parsed
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exit(EX_USAGE)
  }
}

async function main(): Promise<void> {
  const { rows, repeat, out, ...how } = options()
  await buildServices()
  const machine = machineFacts(repeat)
  console.log(`${machine}\n`)
  const reports: string[] = []
  for (const row of chooseRows(rows)) {
    const report = rowReport(row, await measureRow(row, repeat, how))
    console.log(`${report}\n`)
    reports.push(report)
  }
  if (out !== null) await writeFile(join(ROOT, out), performanceDocument(machine, reports))
}

await main()
