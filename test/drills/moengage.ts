import { DELIVERS, DRAINED, type Drill } from './drill.js'
import { SHOP } from './drill-setup.js'

const NOT_HELD = { 'nothing is held': 'sum(relay_workspace_held) == 0' } as const

const wrongKey: Drill = {
  name: 'wrong-key',
  title: 'Wrong key',
  injected: 'The API key was changed at MoEngage and not in the workspaces file.',
  inject: ({ simulator }) => {
    simulator.configure({ workspaces: { [SHOP]: 'rotated-key' } })
    return Promise.resolve()
  },
  alerts: ['RelayWorkspaceHeld'],
  reading:
    'Producers, relay, Redis and workers are green; _MoEngage: failing requests_ and _Workspaces held_ are red. The label of the alert names the cause, `credentials_refused`.',
  steps: [
    {
      ...{ page: 'RelayWorkspaceHeld', step: 1 },
      did: 'The new key was written into the workspaces file. Nothing was restarted.',
      act: (setup) => setup.changeWorkspace({ apiKey: 'rotated-key' }),
    },
  ],
  well: { ...NOT_HELD, ...DELIVERS, ...DRAINED },
}

const down: Drill = {
  name: 'moengage-down',
  title: 'MoEngage down',
  injected: 'MoEngage answered every request with 503.',
  inject: ({ simulator }) => {
    simulator.addFault({ id: 'down', action: { kind: 'status', status: 503 } })
    return Promise.resolve()
  },
  alerts: ['RelayWorkspaceHeld', 'RelayMoEngageRefusing'],
  reading:
    'In the first row only the two boxes of MoEngage are red, and _Accepted_ continues while _Delivered_ is nothing: it is not us, and nothing is lost.',
  steps: [
    {
      ...{ page: 'RelayMoEngageRefusing', step: 1 },
      did: 'Waited until MoEngage answered again, and touched nothing.',
      act: ({ simulator }) => {
        simulator.faults.remove('down')
        return Promise.resolve()
      },
    },
  ],
  well: { ...NOT_HELD, ...DELIVERS, ...DRAINED },
}

const slow: Drill = {
  name: 'moengage-slow',
  title: 'MoEngage slow',
  injected: 'MoEngage took 8 s for every answer.',
  setup: { env: { RELAY_LEASE_MS: '15000' } },
  inject: ({ simulator }) => {
    simulator.configure({ latency: { afterMs: 8_000 } })
    return Promise.resolve()
  },
  alerts: ['RelayDeliveryLate'],
  reading:
    'The first row is green, as nothing fails; _Delivered within 60 s_ (here 10 s) and _Oldest realtime element_ tell. _Time of one attempt_ on _Delivery and budgets_ shows that it is the answers.',
  steps: [
    {
      ...{ page: 'RelayDeliveryLate', step: 4 },
      did: 'Waited until MoEngage answered fast again.',
      act: ({ simulator }) => {
        simulator.configure({ latency: { afterMs: 60 } })
        return Promise.resolve()
      },
    },
  ],
  well: { ...DELIVERS, ...DRAINED },
}

export const MOENGAGE_DRILLS: readonly Drill[] = [wrongKey, down, slow]
