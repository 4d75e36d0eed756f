import type { Clock } from '@relay/shared/clock.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import type { LevelReached } from '@relay/shared/redis/durability-level.js'
import { Deployment } from '@relay/shared/queue/deployment.js'
import { LayoutStore } from '@relay/shared/queue/layout.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import type { Random } from '@relay/shared/random.js'
import { readHeldCustomers } from '@relay/shared/policy/customer-counts.js'
import { runDigest } from '@relay/shared/queue/session-id.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'
import { RedisRun } from '@relay/shared/redis/redis-run.js'
import { ShadowReportStore } from '@relay/shared/shadow/shadow-report.js'
import { Acceptor, type AcceptDeps } from './accept/accept.js'
import { REQUEST_LIMITS } from './accept/assess.js'
import { FairSlices } from './accept/fairness.js'
import type { IntakeObserver, LargeBodies } from './accept/ports.js'
import type { Census } from './census/census.js'
import { DurabilityGuard } from './guard/durability-guard.js'
import { RedisPostStore } from './enqueue/redis-post-store.js'
import { BacklogGuard } from './guard/backlog-guard.js'
import { HeldCustomers } from './guard/held-customers.js'
import { durabilityMissing, type IntakeProblem } from './guard/intake-problem.js'
import { RedisIdempotency } from './guard/redis-idempotency.js'
import { RedisQuota } from './guard/redis-quota.js'
import { ShadowTally } from './accept/shadow-tally.js'

/** Customers held back of whom producers are warned, those held longest first. */
const MAX_WARNED = 1_000

export interface CoreOptions {
  readonly client: RedisClient
  readonly clock: Clock
  readonly random: Random
  readonly config: Pick<
    Config,
    'prefix' | 'partitions' | 'maxBacklogBytes' | 'durability' | 'leaseMs'
  >
  readonly workspaces: Pick<WorkspaceDirectory, 'get' | 'all'>
  /** Null: large bodies are judged like small ones. */
  readonly largeBodies: LargeBodies | null
  /** Absent: no names are recorded. */
  readonly census?: Census | undefined
  readonly observer: IntakeObserver
  readonly onDurability: (reached: LevelReached) => void
  /** `store` wraps what producers post into; null: nothing is traced. */
  readonly traced: (Pick<IntakeObserver, 'answered'> & { store(next: PostStore): PostStore }) | null
}

/** The intake without HTTP: it judges posts and stores them. Waits for nothing but timers and Redis. */
export interface Core {
  /** For operators: what is replayed is neither counted nor traced as a producer's post. */
  readonly store: PostStore
  readonly guard: BacklogGuard
  readonly durability: DurabilityGuard
  /** Why posts are refused now, as last read; null: they are not. */
  readonly problem: () => IntakeProblem | null
  readonly accept: Omit<AcceptDeps, 'limits'>
  readonly acceptor: Acceptor
  start(): Promise<void>
  stop(): Promise<void>
}

export function openCore(options: CoreOptions): Core {
  const { client, clock, random, config, workspaces, traced, largeBodies, census } = options
  const { prefix } = config
  const deployment = new Deployment(client, prefix)
  const guard = new BacklogGuard({
    ...{ client, deployment, prefix, clock, maxBacklogBytes: config.maxBacklogBytes },
    appIds: () => workspaces.all().map(({ appId }) => appId),
  })
  const durability = new DurabilityGuard({
    ...{ client, wanted: config.durability, onChange: options.onDurability },
  })
  const store = new RedisPostStore({
    ...{ client, prefix, deployment, clock },
    layouts: new LayoutStore(client, prefix, {
      partitions: config.partitions,
      mode: (appId) => workspaces.get(appId)?.mode ?? 'live',
    }),
    refusal: (post) => (durability.isMissing ? 'durability' : guard.refusal(post)),
    compress: () => guard.compress(),
    durable: (before) => durability.durable(before),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  })
  const held = heldCustomers(client, prefix)
  const shadow = new ShadowTally({
    workspaces: (appId) => workspaces.get(appId),
    save: (appId, tallies) =>
      new ShadowReportStore(client, prefix, appId).add(tallies, clock.nowMs()),
  })
  const posts = producersStore(store, guard, shadow)
  const observers = [options.observer, shadow, ...(traced === null ? [] : [traced])]
  const accept = {
    ...{ clock, random, largeBodies, census, held, slices: new FairSlices(clock) },
    store: traced?.store(posts) ?? posts,
    observer: reportTo(observers),
    idempotency: new RedisIdempotency(client, prefix, () => guard.producerBytes),
    quota: new RedisQuota({ client, prefix, backlog: () => guard }),
  }
  return {
    ...{ store, guard, durability, accept },
    problem: () => durabilityMissing(durability) ?? guard.problem,
    acceptor: new Acceptor({ ...accept, limits: REQUEST_LIMITS }),
    start: () => {
      const run = new RedisRun(client, () => {
        void deployment.noteRun(runDigest(run.id), config.leaseMs).catch(() => undefined)
      })
      void guard.start()
      shadow.start()
      held.start()
      options.census?.start()
      return durability.start()
    },
    stop: async () => {
      guard.stop()
      durability.stop()
      held.stop()
      await shadow.stop()
      await options.census?.stop()
    },
  }
}

function heldCustomers(client: RedisClient, prefix: string): HeldCustomers {
  return new HeldCustomers(async (appId) => {
    const { longest } = await readHeldCustomers(client, prefix, appId, { most: MAX_WARNED })
    return new Set(longest.map(({ customer }) => Buffer.from(customer, 'hex').toString('latin1')))
  })
}

/** What producers post into. */
function producersStore(store: PostStore, guard: BacklogGuard, shadow: ShadowTally): PostStore {
  return {
    store: async (post) => {
      // Not asked for a replay, which is the remedy.
      if (guard.hasTooManyLetters(post)) return { outcome: 'refused', reason: 'dead_letters_full' }
      const stored = await store.store(post)
      if (stored.outcome === 'stored') shadow.stored(post)
      return stored
    },
  }
}

/** Reports to each of them, in their order. */
function reportTo(observers: readonly Partial<IntakeObserver>[]): IntakeObserver {
  return {
    elements: (count) => {
      for (const observer of observers) observer.elements?.(count)
    },
    refused: (...refusal) => {
      for (const observer of observers) observer.refused?.(...refusal)
    },
    warned: (...warning) => {
      for (const observer of observers) observer.warned?.(...warning)
    },
    answered: (answer) => {
      for (const observer of observers) observer.answered?.(answer)
    },
    failed: (...failure) => {
      for (const observer of observers) observer.failed?.(...failure)
    },
  }
}
