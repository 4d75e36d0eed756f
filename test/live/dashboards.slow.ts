import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '@relay/tools/folders.js'
import {
  prometheus3Here,
  prometheusHere,
  type PrometheusPrograms,
} from '@relay/tools/fetch/programs.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { DASHBOARDS } from '@relay/tools/ops/dashboards/build.js'
import { Prometheus } from './prometheus.js'
import { besideAnother } from './two-relays.js'
import { fillIn } from '../drills/boxes.js'
import { startRelayUnderLoad, SHOP, type RelayUnderLoad } from './relay-under-load.js'

const programs = prometheusHere()
const programs3 = prometheus3Here()
/** Skipped, and counted as that, only where no Prometheus is to be had. */
const whenThere = programs === null ? describe.skip : describe

/** On a machine that does other things too, ms. */
const PATIENCE_MS = 180_000

/** Grafana's variables as they would be filled in. */
const CHOSEN = { appIds: '.*', rateWindow: '15s' }

/** Panels that are empty while nothing is wrong; none needs to be, as faults are injected. */
const MAY_BE_EMPTY: readonly string[] = [
  // Only failures: between two scrapes of a busy machine there may be none.
  'relay / Failures and dead letters / Failing requests by reason',
  // Unknown, as one workspace is held: tested below.
  'relay / Overview / Drained in',
]

whenThere('against a real Prometheus and a relay under load', () => {
  let relay: RelayUnderLoad
  let prometheus: Prometheus
  /** Scrapes the same relay. */
  let prometheus3: Prometheus | null = null
  /** What was started, should the rest not have been. */
  const started: (() => Promise<void>)[] = []

  beforeAll(async () => {
    relay = await startRelayUnderLoad()
    started.unshift(() => relay.stop())
    const jobs = {
      'relay-api': [relay.apiOpsPort],
      'relay-worker': [relay.workerOpsPort],
    }
    prometheus = await Prometheus.start(programs!, { jobs })
    started.unshift(() => prometheus.stop())
    if (programs3 !== null) {
      prometheus3 = await Prometheus.start(programs3, { jobs })
      started.unshift(() => prometheus3!.stop())
    }
    const delivered = `sum(increase(relay_delivered_elements_total{app_id="${SHOP}"}[20s])) > 100`
    const dead = 'sum(relay_dead_lettered_elements_total) > 0'
    const held = 'relay_customer_held_seconds > 0'
    const seen = async () => {
      const found = await Promise.all([delivered, dead, held].map((q) => prometheus.query(q)))
      return found.every((samples) => samples.length > 0)
    }
    await waitFor(seen, { what: 'deliveries to be seen', timeoutMs: 90_000, everyMs: 500 })
  }, PATIENCE_MS)

  afterAll(async () => {
    for (const stop of started) await stop()
  })

  const panels = DASHBOARDS.flatMap(({ title, rows }) =>
    rows.flatMap((row) =>
      row.panels.map((panel) => ({ name: `${title} / ${panel.title}`, panel })),
    ),
  )

  test(
    'every query of every dashboard finds series',
    async () => {
      const queries = panels
        .filter(({ name }) => !MAY_BE_EMPTY.includes(name))
        .flatMap(({ name, panel }) => panel.queries.map(({ expr }) => ({ name, expr })))
      let empty = queries
      // A rate needs two scrapes of its series, and each series begins when its first event comes.
      const allFound = async () => {
        const values = await Promise.all(
          empty.map(({ expr }) => prometheus.query(fillIn(expr, CHOSEN))),
        )
        empty = empty.filter((_, i) => !values[i]!.some(({ value }) => value[1] !== 'NaN'))
        return empty.length === 0
      }
      const options = { what: 'series for every query', timeoutMs: 60_000, everyMs: 1_000 }
      await waitFor(allFound, options).catch(() => undefined)
      expect(empty).toEqual([])
    },
    PATIENCE_MS,
  )

  test('the time to drain is known of a workspace that is sent, and unknown beside one that is held', async () => {
    const { panel } = panels.find(({ name }) => name === 'relay / Overview / Drained in')!
    const ask = (appIds: string) =>
      prometheus.query(fillIn(panel.queries[0]!.expr, { ...CHOSEN, appIds }))
    const isKnown = async () => (await ask(SHOP)).length === 1
    await waitFor(isKnown, { what: 'an estimate', timeoutMs: 30_000, everyMs: 500 })
    expect(await prometheus.query('relay_drain_eta_seconds')).not.toEqual([])
    expect(await ask('.*')).toEqual([])
  })

  test('every rule evaluates, and every metric that a rule names exists', async () => {
    const { groups } = (await prometheus.get('rules')) as {
      groups: { rules: { name: string; health: string; query: string }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.length).toBeGreaterThan(30)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const known = new Set((await prometheus.get('label/__name__/values')) as string[])
    const named = new Set(rules.flatMap(({ query }) => query.match(/\brelay_\w+/g) ?? []))
    expect([...named].filter((name) => !known.has(name) && !isRecorded(name, rules))).toEqual([])
  })

  test.each([2, 3])('every recording rule gives series on Prometheus %i', async (version) => {
    const asked = version === 3 ? prometheus3 : prometheus
    // The suite says in capitals that there is none.
    if (asked === null) return
    const { groups } = (await asked.get('rules')) as {
      groups: { rules: { name: string; type: string; health: string }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const recorded = [
      ...new Set(rules.filter(({ type }) => type === 'recording').map(({ name }) => name)),
    ]
    expect(recorded.length).toBeGreaterThanOrEqual(13)
    const empty = async () => {
      const found = await Promise.all(recorded.map((name) => asked.query(name)))
      return recorded.filter((_, i) => !found[i]!.some(({ value }) => value[1] !== 'NaN'))
    }
    const none = async () => (await empty()).length === 0
    const options = { what: 'series of every rule', timeoutMs: 60_000, everyMs: 1_000 }
    await waitFor(none, options).catch(() => undefined)
    expect(await empty()).toEqual([])
  })

  test('the suspended workspace is seen as held, by both services alike', async () => {
    const held = await prometheus.query('relay_workspace_held == 1')
    expect(held.map(({ metric }) => [metric.job, metric.app_id, metric.reason]).sort()).toEqual([
      ['relay-api', 'SUSPENDED', 'account_refused'],
      ['relay-worker', 'SUSPENDED', 'account_refused'],
    ])
  })

  test.each(['api', 'worker'] as const)(
    'promtool finds nothing wrong with the metrics of the %s',
    async (service) => {
      const port = service === 'api' ? relay.apiOpsPort : relay.workerOpsPort
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
      const input = await answer.text()
      const { status, stdout, stderr } = spawnSync(programs!.promtool, ['check', 'metrics'], {
        input,
      })
      expect([status, stdout.toString(), stderr.toString()]).toEqual([0, '', ''])
      const series = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
      expect(series.length).toBeLessThan(600)
    },
  )
})

const rules = ['relay-recording.yml', 'relay-alerts.yml'].map((f) => join(ROOT, 'ops/rules', f))
const tests = (name: string) => join(ROOT, 'ops/rules', name)

function promtool(found: PrometheusPrograms, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(found.promtool, args)
  expect([status, status === 0 ? '' : `${stdout.toString()}${stderr.toString()}`]).toEqual([0, ''])
}

whenThere('promtool', () => {
  test.each([
    ['check', 'rules', '--lint-fatal', ...rules],
    ['test', 'rules', tests('relay.test.yml')],
    ['test', 'rules', tests('relay.namespaces.test.yml')],
  ])('%s %s passes', (...args) => promtool(programs!, args), PATIENCE_MS)

  test.each([
    ['check', 'rules', '--lint-fatal', ...rules],
    ['test', 'rules', tests('relay.namespaces.test.yml')],
  ])('%s %s passes with that of Prometheus 3', (...args) => {
    // Where there is none, the suite says so in capitals.
    if (programs3 !== null) promtool(programs3, args)
  })

  test(
    'the rules hold for the series of Prometheus 3 too, which writes le="60.0"',
    () => {
      const text = readFileSync(tests('relay.test.yml'), 'utf8')
      const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'v3.test.yml')
      const absolute = text.replace(/^rule_files:.*$/m, `rule_files: ${JSON.stringify(rules)}`)
      writeFileSync(file, absolute.replaceAll('le="60"', 'le="60.0"'))
      promtool(programs3 ?? programs!, ['test', 'rules', file])
    },
    PATIENCE_MS,
  )

  test.each([2, 3])(
    'a second relay that is well masks no alert of the first, on Prometheus %i',
    (version) => {
      const found = version === 3 ? programs3 : programs
      // Where there is none, the suite says so in capitals.
      if (found === null) return
      const text = besideAnother(readFileSync(tests('relay.test.yml'), 'utf8'), rules)
      const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'two.test.yml')
      writeFileSync(file, version === 3 ? text.replaceAll('le="60"', 'le="60.0"') : text)
      promtool(found, ['test', 'rules', file])
    },
    PATIENCE_MS,
  )

  test('every alert appears in the tests of the rules', () => {
    const alerts = [...readFileSync(rules[1]!, 'utf8').matchAll(/- alert: (\w+)/g)].map(
      (m) => m[1]!,
    )
    const tests = readFileSync(join(ROOT, 'ops/rules/relay.test.yml'), 'utf8')
    expect(alerts.filter((name) => !tests.includes(`"${name}"`))).toEqual([])
  })
})

function isRecorded(name: string, rules: readonly { name: string }[]): boolean {
  return rules.some((rule) => rule.name.includes(name))
}
