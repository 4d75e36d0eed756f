import { setTimeout as sleep } from 'node:timers/promises'
import { DELIVERS, DRAINED, type Drill } from './drill.js'
import { LIMITS, SHOP, type DrillSetup } from './drill-setup.js'

const FORBIDDEN = 403
const POISON_EVERY_MS = 400
const POISON_AT_ONCE = 12

/** Posts updates that MoEngage refuses, over and over, until relay forbids it. */
async function poison(setup: DrillSetup): Promise<void> {
  for (let n = 0; ; n += POISON_AT_ONCE) {
    const elements = Array.from({ length: POISON_AT_ONCE }, (_, i) => ({
      ...{ type: 'customer', customer_id: `campaign-${n + i}` },
      attributes: { loyalty_tier: { broken: true } },
    }))
    if ((await setup.post('campaign', elements)) === FORBIDDEN) return
    await sleep(POISON_EVERY_MS)
  }
}

const poisonFlood: Drill = {
  name: 'poison-flood',
  title: 'Poison flood',
  injected: `A second producer, _campaign_, posted ${POISON_AT_ONCE} user updates every ${POISON_EVERY_MS} ms with an attribute that MoEngage refuses.`,
  inject: (setup) => {
    setup.simulator.addFault({
      id: 'poison',
      when: { path: 'attributes.loyalty_tier' },
      action: { kind: 'refuse', attribute: 'loyalty_tier' },
    })
    setup.inBackground(poison(setup))
    return Promise.resolve()
  },
  alerts: ['RelayDeadLettersGrow', 'RelayDeadLettersBurn'],
  reading:
    '_Not dead-lettered_ is red while nothing is held: MoEngage refuses single elements. _Budget in use_ shows the price: every request of the search for them counts, so with nearly half of all elements refused the users budget is spent on searching, and their neighbours are late until the producer is stopped.',
  steps: [
    {
      ...{ page: 'RelayDeadLettersBurn', step: 2 },
      did: '_campaign_ was taken out of `producers`; its next post was answered 403.',
      act: (setup) => setup.changeWorkspace({ producers: ['shop'] }),
    },
    {
      ...{ page: 'RelayDeadLettersBurn', step: 3 },
      did: 'The attribute was fixed at MoEngage, then `relay dead-letters replay --app-id SHOP --yes`.',
      act: async (setup) => {
        await setup.backgroundEnded()
        setup.simulator.faults.remove('poison')
        await setup.relay('dead-letters', 'replay', '--app-id', SHOP, '--yes')
      },
    },
  ],
  well: {
    'no dead letter is left': 'max(relay_dead_letters) == 0',
    'none is new': 'sum(increase(relay_dead_lettered_elements_total[5s])) == 0',
    ...DRAINED,
  },
}

const producerFlood: Drill = {
  name: 'producer-flood',
  title: 'Producer flood',
  injected:
    '_campaign_ posted 800 elements a second on the realtime lane, twice what the budgets carry.',
  inject: async (setup) => {
    await setup.traffic('campaign', { rate: 800 })
  },
  alerts: ['RelayDeliveryLate'],
  reading:
    'The first row is green: nothing is broken. _Budget in use_ is full and _Accepted_ runs far above _Delivered_: more comes than MoEngage allows. _By producer_ on _Intake_ names who.',
  steps: [
    {
      ...{ page: 'RelayDeliveryLate', step: 1 },
      did: '_campaign_ was given a quota of 600 elements a minute in the workspaces file; what is over it is answered 429.',
      act: (setup) => setup.changeWorkspace({ quotas: { campaign: { elementsPerMinute: 600 } } }),
    },
  ],
  well: { ...DELIVERS, ...DRAINED },
}

/** Takes the budget of users over seven minutes. */
const IMPORTED = 45_000
/** How much more MoEngage grants for the occasion. */
const MORE = 20

const backfill: Drill = {
  name: 'backfill',
  title: 'Backfill saturating',
  injected: `\`relay import\` of ${IMPORTED.toLocaleString('en')} user updates, for which the budget needs over seven minutes.`,
  inject: async (setup) => {
    const lines = Array.from({ length: IMPORTED }, (_, i) => {
      const attributes = { segment: 'returning', score: i % 100 }
      return JSON.stringify({ type: 'customer', customer_id: `old-${i}`, attributes })
    })
    const file = await setup.write('customers.ndjson', `${lines.join('\n')}\n`)
    await setup.relay('import', file, '--app-id', SHOP)
  },
  alerts: ['RelayDrainTooLong'],
  reading:
    'The first row is green, _Oldest realtime element_ too: realtime goes first. _Drained in_ and _Budget in use_ tell that the backfill takes what is left.',
  steps: [
    {
      ...{ page: 'RelayDrainTooLong', step: 3 },
      did: 'MoEngage granted twenty times the budgets; the limits were set in the workspaces file.',
      act: async (setup) => {
        const usersPerMinute = LIMITS.usersPerMinute * MORE
        const eventsPerMinute = LIMITS.eventsPerMinute * MORE
        setup.simulator.configure({
          usersPerWindow: usersPerMinute,
          eventsPerWindow: eventsPerMinute,
        })
        await setup.changeWorkspace({ limits: { usersPerMinute, eventsPerMinute } })
      },
    },
  ],
  well: { ...DELIVERS, ...DRAINED },
}

export const PRODUCER_DRILLS: readonly Drill[] = [poisonFlood, producerFlood, backfill]
