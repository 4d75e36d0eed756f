import type { Random } from '@relay/shared/random.js'
import { between, chance, pick } from '@relay/shared/seeded-random.js'
import type { SimApi, System } from './system.js'
import { Actor, type World } from './world.js'

/** What producers post. */
export interface Load {
  readonly producers: number
  /** Mean time between two posts of one producer, ms. */
  readonly everyMs: number
  readonly maxElements: number
  /** Customers of each producer. */
  readonly customers: number
  /** Share of posts to the backfill lane, of user updates, and of elements that MoEngage refuses. */
  readonly backfill: number
  readonly users: number
  readonly bad: number
  /** Each post is of one of these; none: no post is of a project. */
  readonly projects: readonly string[]
  /** Share of elements about the producer's busy customer, who is one in both lanes. */
  readonly busy: number
  /** Nothing is posted from the first to the second moment, ms. */
  readonly quiet: readonly (readonly [fromMs: number, toMs: number])[]
}

/** An element whose post has ended. */
export interface Posted extends Drawn {
  readonly postedMs: number
  readonly endedMs: number
  /** relay answered 200. Without it the element may be stored or not. */
  readonly isAcked: boolean
  /** relay answered every try. Without an answer a frozen api may store it at any time later. */
  readonly isAnswered: boolean
}

interface Drawn {
  /** Name of the customer in this lane; `n` counts its elements. */
  readonly customer: string
  readonly n: number
  readonly customerId: string
  readonly isBusy: boolean
  readonly isBad: boolean
  readonly isUser: boolean
}

/** A caller gives up waiting for an answer, ms. */
const PATIENCE_MS = 5_000
/** Tries of one keyed post. */
const MAX_TRIES = 5

/** Producers: each posts one request at a time, about its own customers. */
export class Producers {
  readonly posted: Posted[] = []
  readonly counts = { posts: 0, accepted: 0, refused: 0, unknown: 0 }
  readonly #world: World
  readonly #system: System
  readonly #load: Load
  readonly #untilMs: number
  readonly #onRefused: (refusal: object) => void
  readonly #numbers = new Map<string, number>()

  constructor(
    world: World,
    system: System,
    { load, durationMs }: { readonly load: Load; readonly durationMs: number },
    onRefused: (refusal: object) => void,
  ) {
    this.#world = world
    this.#system = system
    this.#load = load
    this.#untilMs = durationMs
    this.#onRefused = onRefused
    for (let p = 1; p <= load.producers; p++) {
      const name = `producer${p}`
      this.#next(new Actor(world, name), world.stream(`load/${name}`))
    }
  }

  #next(actor: Actor, random: Random): void {
    const atMs = this.#world.nowMs + (0.2 + random.next() * 1.6) * this.#load.everyMs
    const quiet = this.#load.quiet.find(([fromMs, toMs]) => atMs >= fromMs && atMs < toMs)
    const postMs = quiet === undefined ? atMs : quiet[1] + random.next() * 1_500
    if (postMs >= this.#untilMs) return
    this.#world.at(postMs, actor, () => this.#post(actor, random))
  }

  #post(actor: Actor, random: Random): void {
    const isBackfill = chance(random, this.#load.backfill)
    const drawn = Array.from({ length: between(random, 1, this.#load.maxElements) }, () =>
      this.#draw(actor.name, random, isBackfill),
    )
    const isKeyed = chance(random, 0.5)
    const { projects } = this.#load
    const project = projects.length === 0 ? null : pick(random, projects)
    const elements = drawn.map((one) => jsonOf(one, project))
    this.counts.posts += 1
    const post: Post = {
      ...{ actor, random, drawn, postedMs: this.#world.nowMs },
      body: Buffer.from(JSON.stringify({ type: 'transition', elements })),
      ...{ lane: isBackfill ? 'backfill' : 'realtime', project },
      isAnswered: true,
      key: isKeyed ? `${actor.name}-${this.counts.posts}` : null,
      // Which api is asked, and when after a failure, depends on nothing but the load.
      tries: Array.from({ length: MAX_TRIES }, () => [random.next(), random.next()] as const),
    }
    this.#attempt(post, 0)
  }

  #draw(producer: string, random: Random, isBackfill: boolean): Drawn {
    const { customers, bad, users, busy } = this.#load
    const isBusy = busy > 0 && chance(random, busy)
    const own = `${producer}-${isBusy ? 'busy' : `c${between(random, 1, customers)}`}`
    const customer = isBackfill ? `${own}-backfill` : own
    const n = (this.#numbers.get(customer) ?? 0) + 1
    this.#numbers.set(customer, n)
    const customerId = isBusy ? own : customer
    return { customer, n, customerId, isBusy, isBad: chance(random, bad), isUser: chance(random, users) } // prettier-ignore
  }

  #attempt(post: Post, tried: number): void {
    const { actor, key, drawn, postedMs, tries } = post
    const [chosen, wait] = tries[tried] ?? [0, 0]
    const api = this.#system.apis[Math.floor(chosen * this.#system.apis.length)]
    if (api === undefined) throw new Error('there is no api')
    let isOver = false
    const end = (outcome: 'accepted' | 'refused' | 'unknown') => {
      if (isOver) return
      isOver = true
      this.counts[outcome] += 1
      if (outcome === 'unknown') post.isAnswered = false
      const again = outcome !== 'accepted' && key !== null && tried + 1 < MAX_TRIES
      if (again) {
        this.#world.in(200 + wait * 1_800, actor, () => this.#attempt(post, tried + 1))
        return
      }
      const isAcked = outcome === 'accepted'
      const { isAnswered } = post
      const ended = { postedMs, endedMs: this.#world.nowMs, isAcked, isAnswered }
      for (const one of drawn) this.posted.push({ ...one, ...ended })
      this.#next(actor, post.random)
    }
    this.#world.in(0.2 + wait * 3, api.actor, () => this.#send(api, post, end))
    this.#world.in(PATIENCE_MS, actor, () => end('unknown'))
  }

  #send(
    { actor, core, workspaces }: SimApi,
    post: Post,
    end: (outcome: 'accepted' | 'refused') => void,
  ): void {
    // prettier-ignore
    const { workspace } = this.#system
    const { body, lane, key, project } = post
    const answer = (outcome: 'accepted' | 'refused') => {
      this.#world.log(`${actor.name} answers ${post.actor.name}: ${outcome}`)
      this.#world.in(0.5, post.actor, () => end(outcome))
    }
    if (workspaces.get(workspace.appId) === undefined) {
      answer('refused')
      return
    }
    const asked = { endpoint: 'transition', workspace, producer: 'p', lane, lenient: false } as const // prettier-ignore
    void core.acceptor
      .accept({
        ...{ ...asked, idempotencyKey: key, projectCode: project, warnings: [], body },
        room: () => null,
        caller: { hasLeft: false, onLeave: () => () => undefined },
      })
      .then((accepted) => {
        // 409: the first try is still running. 429 and 503: later.
        if (accepted.outcome === 'refused' && ![409, 429, 503].includes(accepted.refusal.status)) {
          this.#onRefused(accepted.refusal)
        }
        answer(accepted.outcome === 'refused' ? 'refused' : 'accepted')
      })
  }
}

interface Post {
  readonly actor: Actor
  readonly random: Random
  readonly drawn: readonly Drawn[]
  readonly postedMs: number
  readonly body: Buffer
  readonly lane: 'realtime' | 'backfill'
  readonly project: string | null
  isAnswered: boolean
  readonly key: string | null
  readonly tries: readonly (readonly [api: number, wait: number])[]
}

/** An element marked with a separate attribute, so that joined elements keep all marks. */
function jsonOf({ customer, customerId, n, isBad, isUser }: Drawn, project: string | null) {
  const mark = project === null ? customer : `${customer}@${project}`
  const attributes = { [`k${n}`]: mark, ...(isBad ? { bad: 1 } : {}) }
  if (isUser) return { type: 'customer', customer_id: customerId, attributes }
  return { type: 'event', customer_id: customerId, actions: [{ action: 'a', attributes }] }
}
