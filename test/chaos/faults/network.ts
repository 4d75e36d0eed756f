import { setTimeout as sleep } from 'node:timers/promises'
import type { TcpProxy } from '../../support/proxy/tcp-proxy.js'
import type { Loss, Resumes } from '../oracle/model.js'
import type { Random } from '@relay/shared/random.js'
import { between, chance, pick } from '../random.js'
import type { Fault, Scene } from './fault.js'

type Way = 'api-redis' | 'worker-redis' | 'worker-vendor'
const WAYS: readonly Way[] = ['api-redis', 'worker-redis', 'worker-vendor']

const LOSES: Readonly<Record<Way, Loss>> = {
  'api-redis': 'nothing',
  'worker-redis': 'settles',
  'worker-vendor': 'answers',
}

/** A worker that is cut off from Redis may lose its lease; one cut off from MoEngage has to probe it. */
const RESUMES: Readonly<Record<Way, Resumes>> = {
  'api-redis': 'soon',
  'worker-redis': 'lease',
  'worker-vendor': 'later',
}

interface Weather {
  readonly name: string
  readonly onlyDefault?: true
  readonly run: (proxy: TcpProxy, random: Random) => Promise<void>
}

const WEATHERS: readonly Weather[] = [
  {
    name: 'delay',
    run: async (proxy, random) => {
      proxy.set({ delayMs: between(random, 50, 400) })
      await sleep(between(random, 1000, 3000))
      proxy.heal()
    },
  },
  {
    name: 'stall',
    run: async (proxy, random) => {
      const direction = chance(random, 0.5) ? 'up' : 'down'
      if (chance(random, 0.5)) proxy.set({ stalled: true })
      else proxy.set({ stalled: true }, direction)
      await sleep(between(random, 500, 4000))
      proxy.heal()
    },
  },
  {
    name: 'half-open',
    run: async (proxy, random) => {
      proxy.halfOpen(chance(random, 0.5) ? 'client' : 'target')
      await sleep(between(random, 200, 2000))
      proxy.heal()
    },
  },
  {
    // Late, but not so late that a command is given up: a claim may end meanwhile, a lease may not.
    name: 'slow-replies',
    onlyDefault: true,
    run: async (proxy, random) => {
      proxy.set({ delayMs: between(random, 400, 560) }, 'down')
      await sleep(between(random, 3_000, 6_000))
      proxy.heal()
    },
  },
  {
    // Messages of subscriptions get lost while everything else flows.
    name: 'mute',
    onlyDefault: true,
    run: async (proxy, random) => {
      proxy.set({ swallow: '$7\r\nmessage\r\n' }, 'down')
      await sleep(between(random, 2_000, 6_000))
      proxy.heal()
    },
  },
  {
    name: 'cut',
    run: async (proxy, random) => {
      for (let i = 0; i < between(random, 1, 5); i += 1) {
        proxy.cut()
        await sleep(between(random, 50, 500))
      }
    },
  },
  {
    name: 'refuse',
    run: async (proxy, random) => {
      proxy.refuse()
      proxy.cut()
      await sleep(between(random, 300, 3000))
      proxy.heal()
    },
  },
]

interface Place {
  readonly name: string
  readonly proxy: TcpProxy
}

/** Of one process or of all of that kind. */
function placesOf(way: Way, { stack, random }: Scene): readonly Place[] {
  const services = way === 'api-redis' ? stack.apis.map(({ service }) => service) : stack.workers
  const all = services.flatMap(({ name, redis, vendor }) => {
    const proxy = way === 'worker-vendor' ? vendor : redis
    return proxy === null ? [] : [{ name, proxy }]
  })
  return chance(random, 0.5) ? all : [pick(random, all)]
}

function faultOf(way: Way, { name, run, onlyDefault }: Weather): Fault {
  return {
    name: `${way}-${name}`,
    group: 'network',
    ...(onlyDefault && { onlyDefault }),
    loses: LOSES[way],
    resumes: RESUMES[way],
    // Cut off from Redis only, a worker still closes its connections to MoEngage.
    mayLinger: way === 'worker-vendor',
    run: async (scene) => {
      const places = placesOf(way, scene)
      await Promise.all(places.map(({ proxy }) => run(proxy, scene.random)))
      return places.map(({ name: place }) => place)
    },
  }
}

export const NETWORK_FAULTS: readonly Fault[] = WAYS.flatMap((way) =>
  WEATHERS.map((weather) => faultOf(way, weather)),
)
