import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@relay/tools/folders.js'
import { waitFor } from '@relay/tools/wait-for.js'
import { workspaceKeys } from '@relay/shared/queue/keys.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { startCommand, API_KEY, APP_ID, Relay } from '../support/relay.js'
import { numberedElement, numberedEvent, numberedUser, numbersOf } from '../support/shop.js'

interface Switch {
  readonly mode: 'live' | 'shadow'
  readonly shadowed?: 'drop' | 'send'
  readonly baseUrl?: string
}

interface Report {
  readonly mode: string
  readonly waiting: number
  readonly requests: Record<string, number>
  readonly accepted: Record<string, number>
  readonly rejected: number
  readonly refused_by_rule: Record<string, number>
  readonly warned_by_rule: Record<string, number>
  readonly dropped: Record<string, number>
  readonly budgets: Record<string, Record<string, number>>
}

const NOWHERE = 'http://127.0.0.1:9'

/** A relay whose one workspace stands in a file that can be rewritten. */
class Migration {
  readonly relay: Relay
  readonly #file: string

  private constructor(relay: Relay, file: string) {
    this.relay = relay
    this.#file = file
  }

  static async start(first: Switch): Promise<Migration> {
    const file = join(await temporaryFolder('shadow'), 'workspaces.json')
    await write(file, { baseUrl: NOWHERE, ...first })
    const own = { MOENGAGE_APP_ID: '', MOENGAGE_API_KEY: '', MOENGAGE_BASE_URL: '' }
    const relay = await Relay.start({ env: { ...own, RELAY_WORKSPACES_FILE: file } })
    return new Migration(relay, file)
  }

  switch(to: Switch): Promise<void> {
    return write(this.#file, { baseUrl: this.relay.simulator.url, ...to })
  }

  async report(): Promise<Report> {
    const { body } = await this.relay.operate('GET', `workspaces/${APP_ID}/shadow`)
    return JSON.parse(body) as Report
  }

  /** The report, as the command line tells it, once it is as wanted. */
  async reportWhere(holds: (report: Report) => boolean): Promise<Report> {
    const isSo = async () => holds(await this.report())
    await waitFor(isSo, { what: 'the report', timeoutMs: 20_000, everyMs: 100 })
    const command = await startCommand(this.relay, 'shadow', APP_ID, '--json')
    await command.exited
    return JSON.parse(command.lastLines().join('')) as Report
  }

  /** Posts until one of the posts has arrived: the switch has been made, by everybody. */
  async untilLive(): Promise<void> {
    const { simulator } = this.relay
    for (let n = 0; simulator.record.ofCustomer(APP_ID, 'probe').length === 0; n += 1) {
      await this.post([numberedEvent('probe', n)])
      await waitFor(() => true, { what: 'nothing', everyMs: 50 })
    }
  }

  async post(elements: readonly unknown[]): Promise<void> {
    expect((await this.relay.postElements(elements)).status).toBe(200)
  }

  numbersOf(customer: string): number[] {
    const arrived = this.relay.simulator.record.ofCustomer(APP_ID, customer)
    return arrived.flatMap(({ raw }) => numbersOf(raw.toString()))
  }
}

async function write(file: string, workspace: Switch): Promise<void> {
  const { mode, shadowed, baseUrl } = workspace
  const workspaces = [{ appId: APP_ID, apiKey: API_KEY, baseUrl, mode, shadowed }]
  await writeFile(`${file}.new`, JSON.stringify({ workspaces }))
  await rename(`${file}.new`, file)
}

describe('a workspace in shadow', () => {
  let migration: Migration

  afterEach(async () => {
    await migration.relay.stop()
  })

  test('sends nothing, reports what it would have done, and live drops the elements accepted before', async () => {
    migration = await Migration.start({ mode: 'shadow' })
    const { relay } = migration
    await migration.switch({ mode: 'shadow', shadowed: 'drop' })
    const two = { ...numberedEvent('shadow-0', 7) }
    two.actions = [...(two.actions as unknown[]), ...(two.actions as unknown[])]
    for (let c = 0; c < 20; c += 1) {
      const customer = `shadow-${c}`
      await migration.post(Array.from({ length: 10 }, (_, n) => numberedElement(customer, n)))
    }
    await migration.post([two, numberedUser('Guest', 1)])
    const wrong = await relay.postElements([numberedUser('guest', 1), numberedUser('fine', 1)])
    expect(wrong.status).toBe(400)

    const traced = await relay.postElements([numberedEvent('shadow-0', 8)])
    const { request_id: id } = JSON.parse(traced.body) as { request_id: string }

    // The workers and the api each save what they counted, neither waiting for the other.
    const report = await migration.reportWhere(
      ({ dropped, requests }) => dropped.elements === 203 && requests.accepted === 22,
    )
    expect(report).toMatchObject({
      mode: 'shadow',
      waiting: 0,
      requests: { accepted: 22, refused: 1, failed: 0 },
      // Of ten elements two are users, two devices, six events.
      accepted: { user: 41, device: 40, event: 122, total: 203 },
      rejected: 1,
      refused_by_rule: { blockedCustomerId: 1 },
      warned_by_rule: { blockedIdSpelling: 1 },
      budgets: { users: { units: 81 }, events: { units: 123 } },
    })
    expect(report.dropped.requests).toBeGreaterThan(0)
    expect(report.budgets.events?.busiest_minute_share).toBeGreaterThan(0)

    const trace = await startCommand(relay, 'trace', id, '--json')
    await trace.exited
    expect(JSON.parse(trace.lastLines().join(''))).toMatchObject({ state: 'shadowed' })

    await migration.switch({ mode: 'live', shadowed: 'drop' })
    await migration.untilLive()
    await migration.post([numberedEvent('live-1', 1)])
    await relay.simulator.until(({ totals }) => totals.events > 1)
    await waitFor(() => migration.numbersOf('live-1').length > 0, { what: 'the live element' })
    for (let c = 0; c < 20; c += 1) expect(migration.numbersOf(`shadow-${c}`)).toEqual([])
  })

  test('keeps elements to be sent; live sends all of them in order, before later ones', async () => {
    migration = await Migration.start({ mode: 'shadow', shadowed: 'send' })
    const { relay } = migration
    await migration.switch({ mode: 'shadow', shadowed: 'send' })
    const customers = Array.from({ length: 12 }, (_, c) => `kept-${c}`)
    const postAll = async (n: number) => {
      await migration.post(customers.map((customer) => numberedElement(customer, n)))
    }
    for (let n = 0; n < 10; n += 1) await postAll(n)
    await migration.reportWhere(({ waiting }) => waiting === 120)
    // Another worker finds them where they were, and sends nothing either.
    relay.workers[0]?.kill('SIGKILL')
    await relay.addWorker()
    await postAll(10)
    expect((await migration.reportWhere(({ waiting }) => waiting === 132)).dropped.elements).toBe(0)
    expect(relay.simulator.record.totals.requests).toBe(0)

    await migration.switch({ mode: 'live', shadowed: 'send' })
    for (let n = 11; n < 40; n += 1) await postAll(n)
    await relay.simulator.until(
      ({ totals }) => totals.users + totals.devices + totals.events >= 12 * 40,
      40_000,
    )
    for (const customer of customers) {
      expect(migration.numbersOf(customer)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    }
  })

  test('delivers elements accepted live before and after it, and none accepted in between', async () => {
    migration = await Migration.start({ mode: 'live' })
    const { relay } = migration
    // MoEngage cannot be reached: it waits.
    await migration.post([numberedEvent('before', 1)])
    await migration.switch({ mode: 'shadow', baseUrl: NOWHERE })
    await migration.reportWhere(({ mode }) => mode === 'shadow')
    // What is posted while the switch is made may still be live.
    await waitFor(() => isOpenInShadow(relay), { what: 'the switch' })
    await migration.post([numberedEvent('between', 1)])
    await migration.switch({ mode: 'live', shadowed: 'drop' })
    await migration.untilLive()
    await migration.post([numberedEvent('after', 1)])
    await waitFor(() => migration.numbersOf('after').length > 0, { what: 'the last' })
    expect(migration.numbersOf('before')).toEqual([1])
    expect(migration.numbersOf('between')).toEqual([])
  })
})

/** Whether the partitions that are open now are in shadow. */
async function isOpenInShadow(relay: Relay): Promise<boolean> {
  const client = connectRedis({ mode: 'single', url: relay.redis.url }, { commandTimeoutMs: 5_000 })
  try {
    await waitFor(() => client.status === 'ready', { what: 'the connection' })
    const { layout } = workspaceKeys(relay.env.RELAY_PREFIX ?? '', APP_ID)
    return (await client.hget(layout, 'mode')) === 'shadow'
  } finally {
    client.disconnect()
  }
}
