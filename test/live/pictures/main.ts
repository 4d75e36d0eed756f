import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { findPrometheus } from '@relay/tools/prometheus/find-prometheus.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import { DASHBOARDS } from '@relay/tools/ops/dashboards/all.js'
import { Prometheus } from '../prometheus.js'
import { startRelayUnderLoad } from '../relay-under-load.js'
import { photographConsole } from './console-pictures.js'
import { drawDashboard } from './dashboard-picture.js'

// npm run ops:pictures: writes docs/img/dashboards/*.svg and docs/img/console/*.png, from two minutes
// of a live relay that is under load and has trouble; with `-- console` the latter alone, sooner. Services are run as built: npm run build first.

const DASHBOARD_PICTURES = join(ROOT, 'docs/img/dashboards')
const CONSOLE_PICTURES = join(ROOT, 'docs/img/console')
const ONLY_CONSOLE = process.argv.includes('console')
const WATCHED_S = ONLY_CONSOLE ? 20 : 120
const STEP_S = 2

const found = await findPrometheus(console.log)
if ('problem' in found) throw new Error(`No Prometheus: ${found.problem}`)
const relay = await startRelayUnderLoad()
const prometheus = await Prometheus.start(found, {
  jobs: { 'relay-api': [relay.apiOpsPort], 'relay-worker': [relay.workerOpsPort] },
})
try {
  const fromS = Math.ceil(systemClock.nowMs() / 1_000)
  console.log(`Watching for ${String(WATCHED_S)} s …`)
  await waitFor(() => systemClock.nowMs() / 1_000 > fromS + WATCHED_S + 1, {
    ...{ what: 'enough to draw', timeoutMs: (WATCHED_S + 30) * 1_000, everyMs: 500 },
  })
  await mkdir(DASHBOARD_PICTURES, { recursive: true })
  for (const dashboard of ONLY_CONSOLE ? [] : DASHBOARDS) {
    const { svg } = await drawDashboard(prometheus, dashboard, {
      ...{ range: { fromS, toS: fromS + WATCHED_S, stepS: STEP_S }, appIds: '.*' },
      ...{
        rateWindow: '10s',
        caption: `${dashboard.about} Here: a shop on both lanes, a tenth of the answers lost and a tenth 503, one workspace suspended.`,
      },
    })
    await writeFile(join(DASHBOARD_PICTURES, `${dashboard.uid}.svg`), svg)
  }
  const done = await photographConsole(relay, CONSOLE_PICTURES)
  if (!done) console.log('NO CHROMIUM: the pictures of the console stay as they are.')
} finally {
  await prometheus.stop()
  await relay.stop()
}
