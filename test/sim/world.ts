import { createHash } from 'node:crypto'
import type { Clock } from '@relay/shared/clock.js'
import type { Random } from '@relay/shared/random.js'
import { seededRandom } from '@relay/shared/seeded-random.js'

/** Held from before any run, since timers are replaced. */
const realImmediate = globalThis.setImmediate

/** Wall clock at the start of every run, ms since 1970. */
export const EPOCH_MS = 1_760_000_000_000
/** Events at one moment after which a run is a busy loop. */
const MAX_AT_ONCE = 200_000
const STRUCK_AFTER_MS = 0.01

interface Event {
  atMs: number
  /** Order among events of one moment. */
  order: number
  readonly actor: Actor | null
  readonly run: () => unknown
  /** `outside`: the world stands still until its promise resolves. `silent`: nothing of relay runs. */
  readonly kind: 'plain' | 'outside' | 'silent'
  cancelled: boolean
}

/** A process that can die, freeze, or have a wrong wall clock. Its timers share its fate. */
export class Actor {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  alive = true
  frozenUntilMs = 0
  /** No connection to Redis is established before. */
  cutUntilMs = 0
  wallSkewMs = 0
  readonly onKill: (() => void)[] = []
  /** What happened while it was frozen. */
  readonly deferred: Event[] = []
  /** When its next timer fires too late, and by how much. */
  readonly scheduling: Random

  constructor(world: World, name: string) {
    this.name = name
    this.random = world.stream(`random/${name}`)
    this.scheduling = world.stream(`scheduling/${name}`)
    const bornMs = world.nowMs
    this.clock = {
      nowMs: () => Math.floor(EPOCH_MS + world.nowMs + this.wallSkewMs),
      monotonicMs: () => 1_000 + world.nowMs - bornMs,
    }
  }

  kill(): void {
    this.alive = false
    for (const end of this.onKill) end()
  }
}

/** A fault that waits until a process reaches a point. */
export interface Aim {
  readonly point: string
  readonly strike: (actor: Actor) => void
}

/** Virtual time: one event after the other, each with all its microtasks, in an order that the seed decides. */
export class World {
  nowMs = 0
  /** Whose event is running; its timers are virtual. */
  current: Actor | null = null
  events = 0
  readonly lines: string[] = []
  readonly aims: Aim[] = []
  readonly #seed: number
  readonly #queue: Event[] = []
  readonly #hash = createHash('sha256')
  #order = 0
  #atOnce = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** An independent sequence of random numbers: drawing from one changes no other. */
  stream(name: string): Random {
    const digest = createHash('sha256').update(`${this.#seed}/${name}`).digest()
    return seededRandom(digest.readInt32LE(0))
  }

  log(text: string): void {
    const line = `${this.nowMs.toFixed(3)} ${text}`
    this.#hash.update(line).update('\n')
    this.lines.push(line)
  }

  /** Digest of all lines so far. */
  get trace(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }

  at(atMs: number, actor: Actor | null, run: () => unknown, kind: Event['kind'] = 'plain'): Event {
    const order = this.#order++
    const event = { atMs: Math.max(atMs, this.nowMs), order, actor, run, kind, cancelled: false }
    push(this.#queue, event)
    return event
  }

  in(ms: number, actor: Actor | null, run: () => unknown, kind: Event['kind'] = 'plain'): Event {
    return this.at(this.nowMs + ms, actor, run, kind)
  }

  /** Ends a freeze: what happened meanwhile happens now, in the same order. */
  thaw(actor: Actor): void {
    actor.frozenUntilMs = this.nowMs
    for (const event of actor.deferred.splice(0)) {
      event.atMs = this.nowMs
      event.order = this.#order++
      push(this.#queue, event)
    }
  }

  /** An actor is at a point: the first fault aimed there strikes it after this event. Returns whether one does. */
  reach(point: string, actor: Actor): boolean {
    const i = this.aims.findIndex((aim) => aim.point === point)
    if (i < 0) return false
    const [aim] = this.aims.splice(i, 1)
    this.in(STRUCK_AFTER_MS, null, () => aim?.strike(actor))
    return true
  }

  async run(untilMs: number): Promise<void> {
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > untilMs) break
      const event = pop(this.#queue)
      if (event.cancelled || event.actor?.alive === false) continue
      if (event.actor !== null && event.actor.frozenUntilMs > event.atMs) {
        this.#defer(event, event.actor)
        continue
      }
      this.#advance(event)
      if (event.kind === 'silent') event.run()
      else await this.#execute(event)
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  async #execute({ kind, actor, run }: Event): Promise<void> {
    this.current = kind === 'outside' ? null : actor
    const result = run()
    if (kind === 'outside') await result
    // All its microtasks have run by then.
    await new Promise((resolve) => realImmediate(resolve))
    this.current = null
  }

  #advance({ atMs, actor }: Event): void {
    this.#atOnce = atMs === this.nowMs ? this.#atOnce + 1 : 0
    if (this.#atOnce > MAX_AT_ONCE) throw new Error(`busy loop in ${actor?.name ?? 'the harness'}`)
    this.nowMs = atMs
    this.events += 1
  }

  #defer(event: Event, actor: Actor): void {
    actor.deferred.push(event)
    if (actor.deferred.length === 1) this.#thawLater(actor)
  }

  #thawLater(actor: Actor): void {
    this.at(actor.frozenUntilMs, null, () => {
      if (actor.frozenUntilMs > this.nowMs) this.#thawLater(actor)
      else this.thaw(actor)
    })
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** A binary heap by time and order. */
function push(heap: Event[], event: Event): void {
  let i = heap.length
  heap.push(event)
  while (i > 0) {
    const above = (i - 1) >> 1
    const parent = place(heap, above)
    if (!isBefore(event, parent)) break
    heap[i] = parent
    i = above
  }
  heap[i] = event
}

function pop(heap: Event[]): Event {
  const top = place(heap, 0)
  const last = place(heap, heap.length - 1)
  heap.pop()
  if (heap.length === 0) return top
  let i = 0
  for (;;) {
    let below = 2 * i + 1
    const left = heap[below]
    if (left === undefined) break
    const right = heap[below + 1]
    if (right !== undefined && isBefore(right, left)) below += 1
    const child = place(heap, below)
    if (!isBefore(child, last)) break
    heap[i] = child
    i = below
  }
  heap[i] = last
  return top
}

function place(heap: readonly Event[], i: number): Event {
  const event = heap[i]
  if (event === undefined) throw new RangeError('the heap is shorter')
  return event
}
