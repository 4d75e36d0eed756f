import type { Random } from '@relay/shared/random.js'
import type { TcpProxy } from '../../support/proxy/tcp-proxy.js'
import { between, chance, pick } from '@relay/shared/seeded-random.js'
import { fault, lasting, type Fault, type Scene } from './fault.js'

type Way = 'api-redis' | 'worker-redis' | 'worker-vendor'

/** A worker that is cut off from Redis may lose its lease; one cut off from MoEngage has to probe it. */
const WAYS = {
  'api-redis': { resumes: 'soon' },
  'worker-redis': { loses: 'settles', resumes: 'lease' },
  // Cut off from Redis only, a worker still closes its connections to MoEngage.
  'worker-vendor': { loses: 'answers', resumes: 'later', mayLinger: true },
} as const

/** What happens to one connection, until it works again. */
const WEATHERS: Readonly<Record<string, (proxy: TcpProxy, random: Random) => Promise<void>>> = {
  delay: async (proxy, random) => {
    proxy.set({ delayMs: between(random, 50, 400) })
    await lasting(random, 1000, 3000)
    proxy.heal()
  },
  stall: async (proxy, random) => {
    const direction = chance(random, 0.5) ? 'up' : 'down'
    if (chance(random, 0.5)) proxy.set({ stalled: true })
    else proxy.set({ stalled: true }, direction)
    await lasting(random, 500, 4000)
    proxy.heal()
  },
  'half-open': async (proxy, random) => {
    proxy.halfOpen(chance(random, 0.5) ? 'client' : 'target')
    await lasting(random, 200, 2000)
    proxy.heal()
  },
  // Late, but not so late that a command is given up: a claim may end meanwhile, a lease may not.
  'slow-replies': async (proxy, random) => {
    proxy.set({ delayMs: between(random, 400, 560) }, 'down')
    await lasting(random, 3_000, 6_000)
    proxy.heal()
  },
  // Messages of subscriptions get lost while everything else flows.
  mute: async (proxy, random) => {
    proxy.set({ swallow: '$7\r\nmessage\r\n' }, 'down')
    await lasting(random, 2_000, 6_000)
    proxy.heal()
  },
  cut: async (proxy, random) => {
    for (let i = 0; i < between(random, 1, 5); i += 1) {
      proxy.cut()
      await lasting(random, 50, 500)
    }
  },
  refuse: async (proxy, random) => {
    proxy.refuse()
    proxy.cut()
    await lasting(random, 300, 3000)
    proxy.heal()
  },
}
const ONLY_DEFAULT = ['slow-replies', 'mute']

/** Of one process or of all of that kind. */
function placesOf(way: Way, { stack, random }: Scene) {
  const services = way === 'api-redis' ? stack.apis : stack.workers
  const all = services.flatMap(({ name, redis, vendor }) => {
    const proxy = way === 'worker-vendor' ? vendor : redis
    return proxy === null ? [] : [{ name, proxy }]
  })
  return chance(random, 0.5) ? all : [pick(random, all)]
}

/** MoEngage sends no messages of subscriptions. */
const happens = (way: Way, name: string) => way !== 'worker-vendor' || name !== 'mute'

export const NETWORK_FAULTS: readonly Fault[] = (Object.keys(WAYS) as Way[]).flatMap((way) =>
  Object.entries(WEATHERS).flatMap(([name, happen]) => {
    if (!happens(way, name)) return []
    const onlyDefault = ONLY_DEFAULT.includes(name) && ({ onlyDefault: true } as const)
    const traits = { group: 'network', ...WAYS[way], ...onlyDefault } as const
    return fault(`${way}-${name}`, traits, async (scene) => {
      const places = placesOf(way, scene)
      await Promise.all(places.map(({ proxy }) => happen(proxy, scene.random)))
      return places.map((place) => place.name)
    })
  }),
)
