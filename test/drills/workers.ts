import { DELIVERS, DRAINED, type Drill } from './drill.js'

const LEASE = { env: { RELAY_LEASE_MS: '3000' } } as const

const one: Drill = {
  name: 'worker-gone',
  title: 'A worker gone',
  injected: 'One of two workers was killed with SIGKILL.',
  setup: LEASE,
  inject: ({ workers }) => {
    workers[0]?.kill('SIGKILL')
    return Promise.resolve()
  },
  alerts: [],
  seen: 'sum(relay_takeovers_total) > 0',
  reading:
    'All is green; _workers alive_ shows one less. The other worker took its partitions over within the lease (3 s here), so there is no page: one worker was enough for the traffic.',
  steps: [
    {
      ...{ page: 'RelayTooFewWorkers', step: 1 },
      did: 'Another worker was started, as Kubernetes does by itself.',
      act: (setup) => setup.startWorker(0),
    },
  ],
  well: { 'two workers are alive': 'max(relay_workers_alive) == 2', ...DELIVERS, ...DRAINED },
}

const all: Drill = {
  name: 'workers-gone',
  title: 'All workers gone',
  injected: 'Both workers were killed with SIGKILL.',
  setup: LEASE,
  inject: ({ workers }) => {
    for (const worker of workers) worker.kill('SIGKILL')
    return Promise.resolve()
  },
  alerts: ['RelayNoWorkers'],
  reading:
    '_workers alive_ is red; producers, intake and Redis are green: posts are still taken, and wait.',
  steps: [
    {
      ...{ page: 'RelayNoWorkers', step: 1 },
      did: 'Both workers were started again.',
      act: async (setup) => {
        await Promise.all([setup.startWorker(0), setup.startWorker(1)])
      },
    },
  ],
  well: { 'two workers are alive': 'max(relay_workers_alive) == 2', ...DELIVERS, ...DRAINED },
}

export const WORKER_DRILLS: readonly Drill[] = [one, all]
