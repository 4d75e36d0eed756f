import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import { between, chance, pick } from '../random.js'
import type { Service } from '../stack/service.js'
import type { Fault, Scene } from './fault.js'

const READY_WITHIN_MS = 15_000
const quiet = { loses: 'nothing', mayLinger: false } as const

/** One of them; none when all are down already. */
const one = (random: Random, services: readonly Service[]): readonly Service[] =>
  services.length === 0 ? [] : [pick(random, services)]
const namesOf = (services: readonly Service[]) => services.map(({ name }) => name)
const running = (services: readonly Service[]) => services.filter((service) => service.running)
const apis = ({ stack }: Scene) => running(stack.apis.map(({ service }) => service))
const workers = ({ stack }: Scene) => running(stack.workers)

async function killAndRestart(
  services: readonly Service[],
  awayMs: number,
): Promise<readonly string[]> {
  await Promise.all(
    services.map(async (service) => {
      await service.kill9()
      await sleep(awayMs)
      await service.start()
      await service.ready(READY_WITHIN_MS).catch(() => undefined)
    }),
  )
  return namesOf(services)
}

async function freeze(services: readonly Service[], forMs: number): Promise<readonly string[]> {
  for (const service of services) service.pause()
  await sleep(forMs)
  for (const service of services) service.resume()
  return namesOf(services)
}

/** Many short stops, as when something blocks the event loop again and again. */
async function stutter(
  services: readonly Service[],
  { random }: Scene,
): Promise<readonly string[]> {
  for (let i = 0; i < 8; i += 1) {
    await freeze(services, between(random, 50, 350))
    await sleep(between(random, 20, 200))
  }
  return namesOf(services)
}

/** Forward by less than what makes MoEngage refuse a time as being in the future. */
const CLOCK_FORWARD_MS = 240_000
const CLOCK_BACK_MS = 3_600_000

/** The wall clock steps, and after a while steps back to where it belongs. */
async function stepClock(
  services: readonly Service[],
  { random }: Scene,
): Promise<readonly string[]> {
  const offMs = chance(random, 0.5)
    ? between(random, 1_000, CLOCK_FORWARD_MS)
    : -between(random, 1_000, CLOCK_BACK_MS)
  await Promise.all(services.map((service) => service.setClockOff(offMs)))
  await sleep(between(random, 300, 4_000))
  await Promise.all(services.map((service) => service.setClockOff(0)))
  return namesOf(services)
}

async function roll(services: readonly Service[]): Promise<readonly string[]> {
  for (const service of services) {
    await service.stop()
    await service.start()
    // Redis may be away just now; then the next is stopped all the same, as an impatient roll does.
    await service.ready(5_000).catch(() => undefined)
  }
  return namesOf(services)
}

async function scale(scene: Scene): Promise<undefined> {
  const { stack, random } = scene
  await Promise.all(stack.workers.slice(1).map((worker) => worker.stop()))
  await sleep(between(random, 500, 1500))
  await Promise.all(stack.workers.map((worker) => worker.start()))
  await sleep(between(random, 1000, 2500))
  await Promise.all(stack.workers.slice(1).map((worker) => worker.stop()))
  await sleep(between(random, 500, 1500))
  await Promise.all(
    stack.workers.slice(1, stack.conditions.workers).map((worker) => worker.start()),
  )
}

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    ...{ name: 'api-kill', group: 'api', ...quiet },
    run: (scene) => killAndRestart(one(scene.random, apis(scene)), between(scene.random, 0, 2500)),
  },
  {
    ...{ name: 'api-pause', group: 'api', ...quiet },
    run: (scene) => freeze(one(scene.random, apis(scene)), between(scene.random, 300, 4000)),
  },
  {
    ...{ name: 'api-stutter', group: 'api', ...quiet },
    run: (scene) => stutter(one(scene.random, apis(scene)), scene),
  },
  {
    ...{ name: 'api-clock', group: 'api', ...quiet },
    run: (scene) => stepClock(one(scene.random, apis(scene)), scene),
  },
  { ...{ name: 'api-roll', group: 'api', ...quiet }, run: (scene) => roll(apis(scene)) },
  {
    ...{ name: 'worker-kill', group: 'worker', loses: 'both', mayLinger: false },
    run: (scene) =>
      killAndRestart(one(scene.random, workers(scene)), between(scene.random, 0, 2500)),
  },
  {
    ...{ name: 'worker-kill-all', group: 'worker', loses: 'both', mayLinger: false },
    run: async (scene) => {
      const awayMs = between(scene.random, 0, 2000)
      return killAndRestart(workers(scene), awayMs)
    },
  },
  {
    ...{ name: 'worker-pause-short', group: 'worker', loses: 'nothing', mayLinger: true },
    run: (scene) => freeze(one(scene.random, workers(scene)), between(scene.random, 100, 700)),
  },
  {
    ...{ name: 'worker-pause-long', group: 'worker', loses: 'both', mayLinger: true },
    run: (scene) => {
      const { leaseMs } = scene.stack.conditions.timers
      return freeze(
        one(scene.random, workers(scene)),
        between(scene.random, leaseMs * 0.8, leaseMs * 2.5),
      )
    },
  },
  {
    ...{ name: 'worker-pause-all', group: 'worker', loses: 'both', mayLinger: true },
    run: (scene) => {
      const { leaseMs } = scene.stack.conditions.timers
      return freeze(workers(scene), between(scene.random, leaseMs * 0.5, leaseMs * 1.8))
    },
  },
  {
    // Frozen for most of a lease it renews late, and gives a request only the time that is left of it.
    ...{ name: 'worker-stutter', group: 'worker', loses: 'answers', mayLinger: true },
    run: (scene) => stutter(one(scene.random, workers(scene)), scene),
  },
  {
    ...{ name: 'worker-clock', group: 'worker', ...quiet },
    run: (scene) => stepClock(workers(scene), scene),
  },
  { ...{ name: 'worker-roll', group: 'worker', ...quiet }, run: (scene) => roll(workers(scene)) },
  { ...{ name: 'worker-scale', group: 'worker', ...quiet }, run: scale },
]
