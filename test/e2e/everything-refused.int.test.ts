import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, Relay } from '../support/relay.js'
import { numberedEvent, numbersOf } from '../support/shop.js'

const NEW_RULE = JSON.stringify({
  status: 'fail',
  error: { type: 'A Type Of Next Year', message: 'no', request_id: 'r' },
})
const PAGE = '<html><body>Request blocked</body></html>'

describe('a refusal that names no element', () => {
  let relay: Relay

  beforeEach(async () => {
    relay = await Relay.start({ workers: 2 })
  })
  afterEach(async () => {
    await relay.stop()
  })

  async function holdReason(): Promise<string | null> {
    const answer = await relay.operate('GET', 'workspaces')
    const { workspaces } = JSON.parse(answer.body) as {
      workspaces: { hold: { reason: string } | null }[]
    }
    return workspaces[0]?.hold?.reason ?? null
  }

  test.each([
    ['of an unknown type', 400, NEW_RULE],
    ["that is a firewall's page", 400, PAGE],
    ["that is a firewall's page", 403, PAGE],
  ])(
    '%s (%i), for everything, dead-letters nothing: all is delivered once it ends',
    async (_, status, body) => {
      const { simulator } = relay
      simulator.addFault({ id: 'all', action: { kind: 'status', status, body } })
      const events = Array.from({ length: 300 }, (_, n) => numberedEvent(`c-${n % 60}`, n))
      await relay.postAll(events)
      await waitFor(async () => (await holdReason()) === 'everything_refused', {
        what: 'the hold',
      })
      await waitFor(() => simulator.record.totals.requests > 30, {
        what: 'probes',
        timeoutMs: 20_000,
      }).catch(() => undefined)
      expect(simulator.record.totals.requests).toBeLessThan(120)
      expect(await relay.deadLetters()).toEqual([])
      simulator.faults.remove('all')
      await simulator.until(({ totals }) => totals.events >= 300, 30_000)
      expect(await relay.deadLetters()).toEqual([])
      expect(await holdReason()).toBeNull()
    },
  )

  test('of an unknown type, for one element, buries that one, and the others arrive', async () => {
    const { simulator } = relay
    const bad = 'c-7'
    simulator.addFault({
      when: { path: 'customer_id', equals: bad },
      action: { kind: 'refuse', type: 'A Type Of Next Year' },
    })
    // Alone at first: it waits for others to be accepted.
    await relay.postAll([numberedEvent(bad, 1)])
    await waitFor(async () => (await holdReason()) === 'everything_refused', { what: 'the hold' })
    expect(await relay.deadLetters()).toEqual([])
    await relay.postAll(Array.from({ length: 50 }, (_, n) => numberedEvent(`d-${n}`, n)))
    await simulator.until(({ totals }) => totals.events >= 50, 30_000)
    await waitFor(async () => (await relay.deadLetters()).length === 1, {
      what: 'the dead letter',
      timeoutMs: 20_000,
    })
    expect(simulator.record.ofCustomer(APP_ID, bad).flatMap(({ raw }) => numbersOf(raw.toString()))).toEqual([]) // prettier-ignore
    await waitFor(async () => (await holdReason()) === null, { what: 'no hold', timeoutMs: 20_000 })
  })

  test('that has ended is not stated any more, and a bad element that is left delays no other', async () => {
    const bad = 'c-bad'
    // One worker, which saw the outage end: another one may find the bad element sooner.
    await relay.stop()
    relay = await Relay.start({ workers: 1 })
    const { simulator } = relay
    simulator.addFault({ id: 'all', action: { kind: 'status', status: 400, body: PAGE } })
    await relay.postAll([numberedEvent('c-first', 1)])
    await waitFor(async () => (await holdReason()) === 'everything_refused', { what: 'the hold' })
    simulator.addFault({
      when: { path: 'customer_id', equals: bad },
      action: { kind: 'refuse', type: 'A Type Of Next Year' },
    })
    simulator.faults.remove('all')
    await simulator.until(({ totals }) => totals.events >= 1, 30_000)
    await relay.postAll([numberedEvent(bad, 1)])
    await waitFor(async () => (await holdReason()) !== null, { what: 'a hold' })
    await relay.postAll([numberedEvent('e-2', 1)])
    await simulator.until(({ totals }) => totals.events >= 2, 30_000)
    const reasons = new Set<string | null>()
    const slowestMs: number[] = []
    for (let n = 3; n <= 12; n++) {
      // Elements come one by one, each while the bad one holds the workspace.
      await waitFor(async () => (await holdReason()) === 'some_refused', { what: 'the next hold' })
      const atMs = Date.now()
      await relay.postAll([numberedEvent(`e-${n}`, 1)])
      await simulator.until(({ totals }) => totals.events >= n, 30_000)
      slowestMs.push(Date.now() - atMs)
      reasons.add(await holdReason())
    }
    expect(reasons).not.toContain('everything_refused')
    expect(await relay.deadLetters()).toEqual([])
    expect(Math.max(...slowestMs)).toBeLessThan(1_500)
  })
})
