import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writePage } from '@relay/tools/docs/page.js'
import { floodAll, FLOODS } from './floods.js'
import { document, floodSection, isAsExpected, type PlayedGroup } from './report.js'
import { GROUPS, Siege, startTarget } from './run.js'
import { timeWrongKeys } from './wrong-keys.js'

const REPORT = fileURLToPath(new URL('../../../docs/reports/security-inputs.md', import.meta.url))
const ROUNDS = 2_000
const FLOOD_S = 10

// Plays every hostile input, the slow ones included, and writes docs/reports/security-inputs.md.
// `--floods NAME,NAME` (or `all`): plays these floods only, and prints what was seen.
const { values } = parseArgs({ options: { floods: { type: 'string' } } })
const siege = new Siege(await startTarget(), () => performance.now())
let isAllAsExpected = true as boolean
try {
  if (values.floods === undefined) await playAll()
  else await playFloods(values.floods)
} finally {
  await siege.relay.stop()
}
process.exit(isAllAsExpected ? 0 : 1)

async function playAll(): Promise<void> {
  const groups: PlayedGroup[] = []
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
  isAllAsExpected = groups.flatMap(({ rows }) => rows).every(isAsExpected)
}

async function playFloods(names: string): Promise<void> {
  const chosen = names === 'all' ? Object.keys(FLOODS) : names.split(',')
  const flooded = await floodAll(siege, FLOOD_S, chosen)
  await siege.neighbour.stop()
  process.stdout.write(`${floodSection(flooded)}\n`)
}
