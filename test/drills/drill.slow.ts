import { prometheusHere } from '@relay/tools/fetch/programs.js'
import { DRILLS } from './all.js'
import { runDrill } from './run-drill.js'

const programs = prometheusHere()
/** Skipped, and counted as that, only where no Prometheus is to be had. */
const whenThere = programs === null ? test.skip : test
const PATIENCE_MS = 300_000
const CALM_S = 3

whenThere(
  'the shortest drill: a wrong key is reported by its alert, shown by the overview and fixed by the runbook',
  async () => {
    const drill = DRILLS.find(({ name }) => name === 'wrong-key')!
    const result = await runDrill(drill, programs!, () => undefined, CALM_S)
    expect(result.alerts.map(({ name }) => name)).toContain('RelayWorkspaceHeld')
    const firstRow = result.boxes.slice(0, 6).map(({ title, colour }) => [title, colour])
    expect(firstRow).toEqual([
      ['Producers: refused posts', 'green'],
      ['relay: intake unavailable', 'green'],
      ['Redis', 'green'],
      ['relay: workers alive', 'green'],
      ['MoEngage: failing requests', 'red'],
      ['Workspaces held', 'red'],
    ])
    expect(result.status).toMatch(/credentials_refused|API key/)
  },
  PATIENCE_MS,
)
