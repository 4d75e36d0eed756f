import type { Express } from 'express'
import { systemClock } from '@relay/shared/clock.js'
import type { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import type { Config } from '@relay/shared/config/environment.js'
import type { WorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { DeadLetterStore } from '@relay/shared/dead-letters/dead-letter-store.js'
import { ErasureStore } from '@relay/shared/erasure/erasure-store.js'
import type { Logger } from '@relay/shared/observability/logger.js'
import type { LaneBacklog } from '@relay/shared/queue/backlog.js'
import type { PostStore } from '@relay/shared/queue/post.js'
import { systemRandom } from '@relay/shared/random.js'
import { connectRedis } from '@relay/shared/redis/connect.js'
import { TraceStore } from '@relay/shared/trace/trace-store.js'
import type { ProducersTrace } from '../accept/ports.js'
import { createAdminApp, type AdminDeps } from './app.js'
import { BacklogHistory } from './backlog-history.js'
import { Eraser } from './eraser.js'
import { DeadLetterRetention } from './letters.js'
import { traceOwnRequest, producersTrace } from './request-trace.js'

/** An operator may wait longer for Redis than a producer, ms. */
const OPERATOR_TIMEOUT_MS = 5_000
const DAY_MS = 86_400_000

export interface OperatorParts {
  readonly config: Config
  readonly workspaces: WorkspaceDirectory
  readonly credentials: CredentialDirectory
  readonly store: PostStore
  readonly log: Logger
  /** The backlog as last read. */
  readonly lanes: () => readonly LaneBacklog[] | null
  readonly redisProblem: AdminDeps['redisProblem']
  readonly intakeProblem: AdminDeps['intakeProblem']
}

export interface Operator {
  readonly app: Express
  readonly producersTrace: ProducersTrace
  stop(): void
}

/** Everything for operators, on a dedicated Redis connection. */
export function openOperator({ config, credentials, ...rest }: OperatorParts): Operator {
  const { workspaces, store, log, lanes, redisProblem, intakeProblem } = rest
  const client = connectRedis(config.redis, { commandTimeoutMs: OPERATOR_TIMEOUT_MS })
  const letters = new DeadLetterStore(client, config.prefix)
  const traces = new TraceStore(client, config.prefix, config.traceBytes)
  const parts = { letters, traces, clock: systemClock, log, lanes }
  const appIds = () => workspaces.all().map(({ appId }) => appId)
  const history = new BacklogHistory(lanes, appIds)
  history.start()
  const retention = new DeadLetterRetention({
    ...parts,
    keptMs: config.deadLetterDays * DAY_MS,
    appIds,
  })
  retention.start()
  const erasures = new ErasureStore(client, config.prefix)
  const eraser = new Eraser({
    ...{ ...parts, client, erasures, random: systemRandom },
    prefix: config.prefix,
    leaseMs: config.leaseMs,
  })
  eraser.start()
  return {
    app: createAdminApp({
      ...{ ...parts, client, store, workspaces, history, erasures, eraser, random: systemRandom },
      ...{ redisProblem, intakeProblem },
      operators: () => credentials.operators,
      prefix: config.prefix,
      windowMs: config.budgetWindowMs,
    }),
    producersTrace: async (requestId, appId, producer) => {
      const own = { requestId, producer, appId, appIds: appIds() }
      const trace = await traceOwnRequest(parts, own)
      return trace === null ? null : producersTrace(trace)
    },
    stop: () => {
      retention.stop()
      eraser.stop()
      history.stop()
      client.disconnect()
    },
  }
}
