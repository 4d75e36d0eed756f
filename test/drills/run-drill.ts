import type { PrometheusPrograms } from '@relay/tools/fetch/programs.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { systemClock } from '@relay/shared/clock.js'
import type { Prometheus } from '../live/prometheus.js'
import { readBoxes, type Box } from './boxes.js'
import type { Drill } from './drill.js'
import { shortenedOverview } from './shortened-overview.js'
import { FACTOR, SHOP, DrillSetup } from './drill-setup.js'

/** Calm that is watched before the trouble, before the trouble, s. */
const CALM_S = 20
/** What a person needs to open the page, s; the boxes are read at its end. */
const LOOK_S = 3
const START_TIMEOUT_MS = 90_000
const ALERT_TIMEOUT_MS = 240_000
const WELL_TIMEOUT_MS = 300_000
const POLL_MS = 500
const RATE_WINDOW = '5s'
const overview = shortenedOverview(FACTOR)

/** When something was, in seconds from the trouble. */
export interface FiredAlert {
  readonly name: string
  readonly severity: string
  readonly firedS: number
  /** null: still when the drill was over, as it looks back for longer. */
  readonly endedS: number | null
}

export interface DrillResult {
  readonly drill: Drill
  readonly alerts: readonly FiredAlert[]
  /** When the trouble was known, dealt with, over, and the last alert gone; seconds from its start. */
  readonly knownS: number
  readonly actedS: number
  readonly wellS: number
  readonly quietS: number
  /** Boxes of the overview at the moment of the alert: title, words, colour. */
  readonly boxes: readonly Box[]
  /** What `relay status` printed then. */
  readonly status: string
}

const now = () => systemClock.nowMs() / 1_000

/** Runs one drill on a separate relay. Rejects if an expected effect does not occur. */
export async function runDrill(
  drill: Drill,
  programs: PrometheusPrograms,
  say: (line: string) => void,
  calmS = CALM_S,
): Promise<DrillResult> {
  const setup = await DrillSetup.start(programs, drill.setup)
  try {
    const { prometheus } = setup
    const fromS = Math.ceil(await calm(prometheus))
    await until('the calm before', () => now() > fromS + calmS, START_TIMEOUT_MS)
    const injectedS = now()
    await drill.inject(setup)
    say(`${drill.title}: brought about`)
    await until('the trouble to be known', () => isKnown(prometheus, drill), ALERT_TIMEOUT_MS)
    const knownS = now()
    say(`  known after ${since(injectedS)}`)
    await until('a look', () => now() > knownS + LOOK_S, START_TIMEOUT_MS)
    const status = await setup.status()
    const actedS = now()
    for (const { act } of drill.steps) await act(setup)
    const isWell = async () => {
      const found = await Promise.all(Object.values(drill.well).map((q) => prometheus.query(q)))
      return found.every((samples) => samples.length > 0)
    }
    await until('all to be well', isWell, WELL_TIMEOUT_MS)
    const wellS = now()
    say(`  well ${since(actedS)} after it was dealt with`)
    const isQuiet = async () => {
      const names = await firing(prometheus)
      return !drill.alerts.some((name) => names.includes(name))
    }
    await until('the alerts to end', isQuiet, WELL_TIMEOUT_MS)
    const quietS = now()
    const alerts = await firedAlerts(prometheus, { fromS, injectedS, toS: quietS })
    const wrong = alerts.filter(({ name }) => drill.misleading?.includes(name))
    if (wrong.length > 0) throw new Error(`fired: ${wrong.map(({ name }) => name).join(', ')}`)
    const boxes = await readBoxes(prometheus, overview, {
      ...{ atS: knownS + LOOK_S - 1, appIds: SHOP, rateWindow: RATE_WINDOW },
    })
    const seconds = (atS: number) => Math.round(atS - injectedS)
    return {
      ...{ drill, alerts, status, boxes },
      ...{ knownS: seconds(knownS), actedS: seconds(actedS) },
      ...{ wellS: seconds(wellS), quietS: seconds(quietS) },
    }
  } finally {
    await setup.stop()
  }
}

/** Waits until the shop's elements are delivered and nothing is wrong; gives the moment. */
async function calm(prometheus: Prometheus): Promise<number> {
  const isCalm = async () => {
    const delivered = await prometheus.query('sum(rate(relay_delivered_elements_total[5s])) > 10')
    return delivered.length > 0 && (await firing(prometheus)).length === 0
  }
  await until('calm', isCalm, START_TIMEOUT_MS)
  return now()
}

async function isKnown(prometheus: Prometheus, { alerts, seen }: Drill): Promise<boolean> {
  const names = await firing(prometheus)
  const isSeen = seen === undefined || (await prometheus.query(seen)).length > 0
  return isSeen && alerts.every((name) => names.includes(name))
}

async function firing(prometheus: Prometheus): Promise<readonly string[]> {
  const samples = await prometheus.query('ALERTS{alertstate="firing"}')
  return samples.map(({ metric }) => metric.alertname ?? '')
}

async function firedAlerts(
  prometheus: Prometheus,
  { fromS, injectedS, toS }: { fromS: number; injectedS: number; toS: number },
): Promise<readonly FiredAlert[]> {
  const range = { fromS: Math.floor(fromS), toS: Math.ceil(toS), stepS: 1 }
  const found = await prometheus.range('ALERTS{alertstate="firing"}', range)
  return found
    .map(({ metric, values }) => {
      const [[firstS] = [range.fromS], [lastS] = [range.toS]] = [values[0], values.at(-1)]
      return {
        ...{ name: metric.alertname ?? '', severity: metric.severity ?? '' },
        firedS: Math.round(firstS - injectedS),
        endedS: lastS < range.toS - 1 ? Math.round(lastS - injectedS) : null,
      }
    })
    .sort((a, b) => a.firedS - b.firedS || a.name.localeCompare(b.name))
}

function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<unknown> {
  return waitFor(condition, { what, timeoutMs, everyMs: POLL_MS })
}

function since(atS: number): string {
  return `${(now() - atS).toFixed(0)} s`
}
