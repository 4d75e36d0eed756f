import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import { findPrometheus3 } from '@relay/tools/fetch/programs.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { Prometheus, type Sample } from '../../live/prometheus.js'
import { shortenRules } from '../../live/shortened-rules.js'
import { FACTOR } from '../drill-setup.js'
import type { LogRecord } from '@relay/tools/process/child.js'
import { Console } from './console.js'
import type { Line, Seen } from './line.js'
import { event, linesWith, logLines, Place, TOKEN } from './place.js'

/** Two relays on one Prometheus 3, whose rules are so many times as fast. */
class TwoRelays {
  readonly production: Place
  readonly staging: Place
  readonly prometheus: Prometheus

  constructor(production: Place, staging: Place, prometheus: Prometheus) {
    this.production = production
    this.staging = staging
    this.prometheus = prometheus
  }

  static async start(): Promise<TwoRelays> {
    const programs = await findPrometheus3()
    if ('problem' in programs) throw new Error(`No Prometheus 3: ${programs.problem}`)
    const [production, staging] = await Promise.all([Place.start(), Place.start()])
    const names = ['relay-recording.yml', 'relay-alerts.yml']
    const rules = await Promise.all(
      names.map(async (name) =>
        production.write(
          name,
          shortenRules(await readFile(join(ROOT, 'ops/rules', name), 'utf8'), FACTOR),
        ),
      ),
    )
    const both = Object.entries({ production, staging })
    const labels = both.flatMap(([namespace, { ports }]) =>
      [ports.apiOps, ports.workerOps].map((port) => [port, { namespace }] as const),
    )
    const prometheus = await Prometheus.start(programs, {
      jobs: {
        'relay-api': both.map(([, { ports }]) => ports.apiOps),
        'relay-worker': both.map(([, { ports }]) => ports.workerOps),
      },
      ...{ rules, labels: Object.fromEntries(labels) },
      externalLabels: { runbook_base: 'https://docs.example.com/runbook' },
    })
    await Promise.all([production.traffic(), staging.traffic()])
    const relays = new TwoRelays(production, staging, prometheus)
    await relays.until('sum by (namespace) (rate(relay_delivered_elements_total[5s])) > 10', 2)
    return relays
  }

  until(expr: string, series = 1): Promise<readonly Sample[]> {
    const found = async () => {
      const samples = await this.prometheus.query(expr)
      return samples.length >= series ? samples : null
    }
    return waitFor(found, { what: expr, timeoutMs: 240_000, everyMs: 500 })
  }

  /** Names and labels of the alerts that fire. */
  async alerts(): Promise<string> {
    const firing = await this.prometheus.query('ALERTS{alertstate="firing"}')
    return firing.map(({ metric }) => labelled(metric)).join(', ')
  }

  async stop(): Promise<void> {
    await this.prometheus.stop()
    await Promise.all([this.production.stop(), this.staging.stop()])
  }
}

function labelled({ alertname, namespace, app_id, reason }: Sample['metric']): string {
  const labels = Object.entries({ namespace, app_id, reason }).filter(([, value]) => value)
  return `${alertname ?? ''}{${labels.map(([name, value]) => `${name}="${value ?? ''}"`).join(', ')}}`
}

const CARD = '.card .badge:not([hidden]), .card .remark, .facts div'

/** Status, console and metric of production. */
async function look(relays: TwoRelays, pattern: RegExp): Promise<Seen> {
  const { production, prometheus } = relays
  const { code, text } = await production.relay(['status'])
  const view = await Console.open(production.url('apiOps'), TOKEN)
  const card = await view.read(CARD, pattern)
  const workers = await view.read('main > p')
  await view.close()
  const eta = await prometheus.query('relay_drain_eta_seconds{namespace="production"}')
  return {
    status: `${text.replaceAll(/\n+/g, ' / ').replaceAll(/ {2,}/g, '  ')} (exit ${code})`,
    console: `${workers} ${card}`,
    metric: `relay_drain_eta_seconds: ${eta.length === 0 ? 'no series' : (eta[0]?.value[1] ?? '')}`,
  }
}

let relays: TwoRelays | null = null
const started = async () => (relays ??= await TwoRelays.start())

export async function endRelays(): Promise<void> {
  await relays?.stop()
}

const paused: Line = {
  lines: [1],
  before: '"Drained in" is 0 s and green while paused; `relay_drain_eta_seconds` 0.',
  see: async () => {
    const both = await started()
    const { production } = both
    await production.relay(['pause', 'SHOP'])
    await both.until('relay_workspace_paused{namespace="production"} == 1').catch(() => undefined)
    const seen = await look(both, /paused/)
    await production.relay(['resume', 'SHOP'])
    return seen
  },
}

const held: Line = {
  lines: [1, 4, 6],
  before:
    'The same while held; a workspace becoming held is an `info` "gate changed"; runbook and logs disagree about MoEngage\'s own words; alerts carry a repository path in place of `runbook_url`.',
  see: async () => {
    const both = await started()
    const { production } = both
    production.simulator.configure({ workspaces: { SHOP: 'rotated-key' } })
    await both.until('ALERTS{alertname="RelayWorkspaceHeld",alertstate="firing"}')
    const seen = await look(both, /held/i)
    const alert = await both.alerts()
    const { alerts } = (await both.prometheus.get('alerts')) as {
      alerts: { labels: { alertname: string }; annotations: Record<string, string> }[]
    }
    const page = alerts.find(({ labels }) => labels.alertname === 'RelayWorkspaceHeld')
    production.simulator.configure({ workspaces: { SHOP: 'api-key' } })
    await both.until('sum(relay_workspace_held{namespace="production"}) == 0')
    const isTold = ({ level }: LogRecord) => level === 'warn' || level === 'error'
    const log = logLines(production.worker.logs(), isTold, ['reason', 'vendorType'])
    return { ...seen, alert, runbook_url: page?.annotations.runbook_url ?? 'none', log }
  },
}

const late: Line = {
  lines: [2],
  before:
    'The lateness objective is dead on Prometheus 3: it writes `le="60.0"`; five recording rules give no series, two paging alerts can never fire; rule health says ok.',
  see: async () => {
    const both = await started()
    const { production, prometheus } = both
    const { version } = (await prometheus.get('status/buildinfo')) as { version: string }
    const les = await prometheus.query(
      'count by (le) (relay_delivery_latency_seconds_bucket{le=~"10.*|60.*"})',
    )
    production.simulator.configure({ latency: { afterMs: 15_000 } })
    await both.until('ALERTS{alertname="RelayDeliveryLate",alertstate="firing"}')
    const alert = await both.alerts()
    production.simulator.configure({ latency: { afterMs: 20 } })
    const { groups } = (await prometheus.get('rules')) as {
      groups: { rules: { name: string; type: string }[] }[]
    }
    const recorded = groups.flatMap(({ rules }) => rules).filter(({ type }) => type === 'recording')
    const names = [...new Set(recorded.map(({ name }) => name))]
    const empty: string[] = []
    for (const name of names) if ((await prometheus.query(name)).length === 0) empty.push(name)
    await both.until('sum(relay_backlog_elements{namespace="production"}) < 200')
    return {
      ...{ alert, 'le in Prometheus': les.map(({ metric }) => metric.le ?? '').join(', ') },
      rules: `Prometheus ${version}: ${names.length} recording rules, ${empty.length} without series ${empty.join(', ')}`,
    }
  },
}

const none: Line = {
  lines: [1, 3],
  before:
    'With no worker alive: `relay status` says "running, DONE IN 0 s", exit 0; console the same. Two relays on one Prometheus mask each other; production can be dead while staging lives and nothing fires.',
  see: async () => {
    const both = await started()
    const { production, staging } = both
    production.worker.kill('SIGKILL')
    await both.until('ALERTS{alertname="RelayNoWorkers",alertstate="firing"}')
    await waitFor(async () => (await production.relay(['status'])).text.includes('NONE ALIVE'), {
      ...{ what: 'the lease to end', timeoutMs: 60_000, everyMs: 500 },
    })
    const seen = await look(both, /not sending/)
    const alert = await both.alerts()
    const other = linesWith((await staging.relay(['status'])).text, 'Workers:')
    await production.startWorker()
    await both.until('absent(ALERTS{alertname="RelayNoWorkers"})')
    await both.until('sum(relay_backlog_elements{namespace="production"}) < 200')
    return { ...seen, alert, "the other relay's status": other }
  },
}

const heldCustomer: Line = {
  lines: [1, 3],
  before:
    'Nobody sees that a customer is held now for the per-customer policy, only a counter and a warning; "Drained in" is as if nothing waited for it.',
  see: async () => {
    const both = await started()
    const { production, prometheus } = both
    // Default settings: over 5,000 data requests of one end user in a minute.
    for (let i = 0; i < 70; i += 1) await (await production.post(event('test-user', 100))).text()
    await both.until('relay_customers_held{namespace="production"} == 1')
    const seen = await look(both, /held back/)
    const samples = await prometheus.query('relay_customers_held')
    const told = samples.map(
      ({ metric, value }) => `${metric.namespace ?? ''} ${metric.job ?? ''} ${value[1]}`,
    )
    return { ...seen, relay_customers_held: [...new Set(told)].sort().join(', ') }
  },
}

export const WORKER_LINES: readonly Line[] = [paused, held, late, none, heldCustomer]
