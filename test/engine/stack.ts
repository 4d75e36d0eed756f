import assert from 'node:assert/strict'
import { waitFor } from '@relay/tools/wait-for.js'
import type { Engine } from './engine.js'

const INTAKE = 'http://127.0.0.1:8080/v1/event/DEMO'
const CREDENTIALS = 'DEMO:staging-secret'
const GRAFANA = 'http://127.0.0.1:3000'
const SOURCE = '/api/datasources/proxy/uid/prometheus/api/v1/query'
const PROMETHEUS = 'http://127.0.0.1:9090'
/** The proxy gives up on a stopped api after 2 s (ops/compose/nginx/relay.conf). */
const MAX_POST_MS = 4_000
const POSTS = 20

interface Container {
  readonly Name: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: { readonly ReadonlyRootfs: boolean; readonly CapDrop: readonly string[] }
  readonly State: { readonly ExitCode: number; readonly Health?: { readonly Status: string } }
}

/**
 * Brings the Compose file up on a real engine, uses it as producers and operators do, and ends it.
 * `look` is called while all of it runs.
 */
export async function tryStack(engine: Engine, look: () => Promise<void>): Promise<void> {
  try {
    await engine.compose('up', '--detach', '--no-build', '--wait')
    await step('a post through the proxy is delivered', () => deliver(engine))
    await step('containers run as the image says', () => checkContainers(engine))
    await step('the command line works inside the image', () => useCommandLine(engine))
    await step('Prometheus scrapes every process, and each rule is evaluated', checkPrometheus)
    await step('Grafana’s provisioning leads to data', checkGrafana)
    await look()
    await step('a stopped api costs no post', () => stopAnApi(engine))
    await step('workers are scaled to 4', () => scaleWorkers(engine))
    await step('all of it ends by itself', () => end(engine))
  } catch (error) {
    const { stdout } = await engine.compose('logs', '--no-color', '--tail', '30')
    console.error(stdout)
    throw error
  } finally {
    await engine.compose('down', '--volumes', '--timeout', '20')
  }
}

async function step(name: string, run: () => Promise<string>): Promise<void> {
  const began = performance.now()
  const saw = await run()
  console.log(`ok  ${name}: ${saw} (${((performance.now() - began) / 1000).toFixed(1)} s)`)
}

async function post(customer: string): Promise<{ status: number; requestId: string; ms: number }> {
  const began = performance.now()
  const answer = await fetch(INTAKE, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      type: 'event',
      customer_id: customer,
      actions: [{ action: 'Signed Up', attributes: { plan: 'pro' } }],
    }),
  })
  const { request_id: requestId = '' } = (await answer.json()) as { request_id?: string }
  return { status: answer.status, requestId, ms: performance.now() - began }
}

/** The command line in the image of the api, as an operator runs it. */
async function relay(engine: Engine, ...args: string[]): Promise<string> {
  return (await engine.compose('exec', '--no-TTY', 'api', 'relay', ...args)).stdout
}

async function deliver(engine: Engine): Promise<string> {
  const { status, requestId } = await post('customer-1')
  assert.equal(status, 200)
  await waitFor(async () => (await relay(engine, 'trace', requestId)).includes('sent'), {
    ...{ what: 'the event to be delivered', timeoutMs: 30_000, everyMs: 500 },
  })
  const simulator = await fetch('http://127.0.0.1:9400/')
  assert.equal(simulator.status, 200)
  return `200, then sent (${requestId})`
}

async function containers(engine: Engine): Promise<Container[]> {
  const { stdout } = await engine.compose('ps', '--all', '--quiet')
  const ids = stdout.trim().split('\n')
  return JSON.parse((await engine.docker('inspect', ...ids)).stdout) as Container[]
}

const isOwn = ({ Name }: Container): boolean => /-(api|worker)-\d+$/.test(Name)

async function checkContainers(engine: Engine): Promise<string> {
  const own = (await containers(engine)).filter(isOwn)
  assert.equal(own.length, 4)
  for (const { Name, Config, HostConfig, State } of own) {
    assert.equal(Config.User, 'node', Name)
    assert.equal(HostConfig.ReadonlyRootfs, true, Name)
    assert.deepEqual(HostConfig.CapDrop, ['ALL'], Name)
    assert.equal(State.Health?.Status, 'healthy', Name)
    assert.match(Config.Labels['org.opencontainers.image.revision'] ?? '', /^[0-9a-f]{40}$/, Name)
  }
  const touched = await engine.run('docker', ['exec', 'relay-api-1', 'touch', '/relay/file'], {
    mayFail: true,
  })
  assert.notEqual(touched.code, 0)
  return `${own.length} as user node, without capabilities, with a read-only root, healthy`
}

async function useCommandLine(engine: Engine): Promise<string> {
  const text = await relay(engine, 'status')
  assert.match(text, /Workers: 2 alive/)
  const check = await relay(engine, 'check', '--json')
  assert.doesNotMatch(check, /unhandled/i)
  return text.split('\n')[0] ?? ''
}

async function ask(url: string): Promise<unknown> {
  const answer = await fetch(url)
  assert.equal(answer.status, 200, url)
  return answer.json()
}

interface Rules {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { readonly name: string; readonly health: string }[]
    }[]
  }
}

async function checkPrometheus(): Promise<string> {
  const isUp = async () => {
    const up = await query('count(up == 1)')
    return up === '4'
  }
  await waitFor(isUp, { what: '4 targets to be up', timeoutMs: 60_000, everyMs: 1_000 })
  const evaluated = async () => {
    const { data } = (await ask(`${PROMETHEUS}/api/v1/rules`)) as Rules
    const rules = data.groups.flatMap((group) => group.rules)
    return rules.length > 0 && rules.every(({ health }) => health === 'ok') && rules
  }
  const rules = await waitFor(evaluated, { what: 'every rule to be evaluated', timeoutMs: 60_000 })
  const { data } = (await ask(`${PROMETHEUS}/api/v1/status/buildinfo`)) as {
    data: { version: string }
  }
  assert.match(data.version, /^3\./)
  return `Prometheus ${data.version}, 4 targets up, ${rules.length} rules ok`
}

/** By way of Grafana: its provisioning files, its data source. */
async function query(expr: string): Promise<string | undefined> {
  const { data } = (await ask(`${GRAFANA}${SOURCE}?query=${encodeURIComponent(expr)}`)) as {
    data?: { result: readonly { value: readonly [number, string] }[] }
  }
  return data?.result[0]?.value[1]
}

async function checkGrafana(): Promise<string> {
  const dashboards = (await ask(`${GRAFANA}/api/search`)) as readonly { title: string }[]
  assert.equal(dashboards.length, 5)
  const delivered = async () => {
    const value = await query('sum(relay_delivered_elements_total)')
    return Number(value) >= 1 ? value : null
  }
  const seen = await waitFor(delivered, { what: 'the delivery in Prometheus', timeoutMs: 30_000 })
  return `${dashboards.length} dashboards; delivered elements: ${seen}`
}

async function stopAnApi(engine: Engine): Promise<string> {
  await engine.docker('stop', '--time', '20', 'relay-api-1')
  const posts = []
  for (let i = 0; i < POSTS; i += 1) posts.push(await post(`customer-${i}`))
  const longest = Math.max(...posts.map(({ ms }) => ms))
  assert.deepEqual([...new Set(posts.map(({ status }) => status))], [200])
  assert.ok(longest < MAX_POST_MS, `a post took ${longest} ms`)
  await engine.docker('start', 'relay-api-1')
  return `${POSTS} posts, all 200, the slowest in ${longest.toFixed(0)} ms`
}

async function scaleWorkers(engine: Engine): Promise<string> {
  const args = ['up', '--detach', '--no-build', '--no-recreate']
  await engine.compose(...args, '--scale', 'worker=4')
  const four = async () => /Workers: 4 alive.*/.exec(await relay(engine, 'status'))?.[0]
  return waitFor(four, { what: '4 workers to be alive', timeoutMs: 60_000, everyMs: 500 })
}

async function end(engine: Engine): Promise<string> {
  await engine.compose('stop')
  const ended = (await containers(engine)).filter(isOwn)
  for (const { Name, State } of ended) assert.equal(State.ExitCode, 0, Name)
  return `${ended.length} containers, each with status 0`
}
