import { setTimeout as sleep } from 'node:timers/promises'
import { between, chance, pick } from '@relay/shared/seeded-random.js'
import type { Service } from '../stack/service.js'
import { fault, lasting, type Fault, type Scene } from './fault.js'

const READY_WITHIN_MS = 15_000
/** Forward by less than what makes MoEngage refuse a time as being in the future. */
const CLOCK_FORWARD_MS = 240_000
const CLOCK_BACK_MS = 3_600_000

type Services = readonly Service[]
/** Those that a fault touches; none when all are down already. */
type Pick = (scene: Scene) => Services

const running = (services: Services) => services.filter((service) => service.running)
const apis: Pick = ({ stack }) => running(stack.apis)
const workers: Pick = ({ stack }) => running(stack.workers)
const one =
  (all: Pick): Pick =>
  (scene) => {
    const services = all(scene)
    return services.length === 0 ? [] : [pick(scene.random, services)]
  }

/** What is done to them, in ms of so much. */
type Act = (services: Services, scene: Scene) => Promise<void>

const killAndRestart =
  (mostMs: number): Act =>
  async (services, { random }) => {
    const awayMs = between(random, 0, mostMs)
    await Promise.all(
      services.map(async (service) => {
        await service.kill9()
        await sleep(awayMs)
        await service.start()
        await service.ready(READY_WITHIN_MS).catch(() => undefined)
      }),
    )
  }

const freeze =
  (span: (scene: Scene) => readonly [leastMs: number, mostMs: number]): Act =>
  async (services, scene) => {
    for (const service of services) service.pause()
    await lasting(scene.random, ...span(scene))
    for (const service of services) service.resume()
  }

/** For so many leases. */
const leases =
  (least: number, most: number) =>
  ({ stack: { conditions } }: Scene) => {
    const { leaseMs } = conditions.timers
    return [leaseMs * least, leaseMs * most] as const
  }

/** Many short stops, as when something blocks the event loop again and again. */
const stutter: Act = async (services, scene) => {
  for (let i = 0; i < 8; i += 1) {
    await freeze(() => [50, 350])(services, scene)
    await lasting(scene.random, 20, 200)
  }
}

/** The wall clock steps, and after a while steps back to where it belongs. */
const stepClock: Act = async (services, { random }) => {
  const offMs = chance(random, 0.5)
    ? between(random, 1_000, CLOCK_FORWARD_MS)
    : -between(random, 1_000, CLOCK_BACK_MS)
  await Promise.all(services.map((service) => service.setClockOff(offMs)))
  await lasting(random, 300, 4_000)
  await Promise.all(services.map((service) => service.setClockOff(0)))
}

const roll: Act = async (services) => {
  for (const service of services) {
    await service.stop()
    await service.start()
    // Redis may be away just now; then the next is stopped all the same, as an impatient roll does.
    await service.ready(5_000).catch(() => undefined)
  }
}

/** `act` on those that `choose` finds, which are named as touched. */
const to = (choose: Pick, act: Act) => async (scene: Scene) => {
  const services = choose(scene)
  await act(services, scene)
  return services.map(({ name }) => name)
}

const api = { group: 'api' } as const
const worker = { group: 'worker' } as const
const lossy = { group: 'worker', loses: 'both' } as const

export const PROCESS_FAULTS: readonly Fault[] = [
  fault('api-kill', api, to(one(apis), killAndRestart(2500))),
  fault('api-pause', api, to(one(apis), freeze(() => [300, 4000]))), // prettier-ignore
  fault('api-stutter', api, to(one(apis), stutter)),
  fault('api-clock', api, to(one(apis), stepClock)),
  fault('api-roll', api, to(apis, roll)),
  fault('worker-kill', lossy, to(one(workers), killAndRestart(2500))),
  fault('worker-kill-all', lossy, to(workers, killAndRestart(2000))),
  fault('worker-pause-short', { ...worker, mayLinger: true }, to(one(workers), freeze(() => [100, 700]))), // prettier-ignore
  fault('worker-pause-long', { ...lossy, mayLinger: true }, to(one(workers), freeze(leases(0.8, 2.5)))), // prettier-ignore
  fault('worker-pause-all', { ...lossy, mayLinger: true }, to(workers, freeze(leases(0.5, 1.8)))),
  // Frozen for most of a lease it renews late, and gives a request only the time that is left of it.
  fault('worker-stutter', { ...worker, loses: 'answers', mayLinger: true }, to(one(workers), stutter)), // prettier-ignore
  fault('worker-clock', worker, to(workers, stepClock)),
  fault('worker-roll', worker, to(workers, roll)),
  fault('worker-scale', worker, async ({ stack, random }) => {
    const others = stack.workers.slice(1)
    await Promise.all(others.map((service) => service.stop()))
    await lasting(random, 500, 1500)
    await Promise.all(stack.workers.map((service) => service.start()))
    await lasting(random, 1000, 2500)
    await Promise.all(others.map((service) => service.stop()))
    await lasting(random, 500, 1500)
    const usual = stack.workers.slice(1, stack.conditions.workers)
    await Promise.all(usual.map((service) => service.start()))
  }),
]
