import { fileURLToPath } from 'node:url'
import { writePage } from '@relay/tools/docs/write-page.js'
import { floodAll } from './floods.js'
import { document, isAsExpected, type PlayedGroup } from './report.js'
import { GROUPS, Siege, startTarget } from './run.js'
import { timeWrongKeys } from './wrong-keys.js'

const REPORT = fileURLToPath(new URL('../../../docs/reports/security-inputs.md', import.meta.url))
const ROUNDS = 2_000
const FLOOD_S = 10

// Plays every hostile input, the slow ones included, and writes docs/reports/security-inputs.md.
const siege = new Siege(await startTarget(), () => performance.now())
const groups: PlayedGroup[] = []
try {
  for (const [name, inputs] of Object.entries(GROUPS)) {
    const rows: PlayedGroup['rows'][number][] = []
    for (const input of inputs) {
      const row = await siege.play(input)
      rows.push(row)
      process.stdout.write(`${isAsExpected(row) ? 'ok  ' : 'FAIL'}  ${input.name}\n`)
    }
    groups.push({ name, rows })
  }
  const floods = await floodAll(siege, FLOOD_S)
  await siege.neighbour.stop()
  const timing = await timeWrongKeys(siege.relay.apiUrl, ROUNDS)
  const text = document(groups, floods, timing)
  await writePage(REPORT, text)
  process.stdout.write(`written: ${REPORT}\n`)
} finally {
  await siege.relay.stop()
}
process.exit(groups.flatMap(({ rows }) => rows).every(isAsExpected) ? 0 : 1)
