import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis'
import type { RedisTarget } from '../config/redis-url.js'

/** A client for one server, a sentinel's master or a cluster. */
export type RedisClient = Redis | Cluster

/** One server of it. */
export type RedisServer = Redis

/** Replies keep their classic shapes; leaving the option out says so to the library's types. */
type Options = Omit<RedisOptions, 'replyMapping'>

export interface ConnectOptions {
  /** A command without an answer after this long is given up (it may still be executed), ms. */
  readonly commandTimeoutMs: number
  /** For subscriptions: they must survive reconnects. */
  readonly subscriber?: boolean
}

const RECONNECT_FIRST_MS = 50
const RECONNECT_MOST_MS = 1000
/**
 * A connection on which nothing came for so many command timeouts, though something was asked, is
 * replaced: the other end may be gone without a word, and TCP would go on for a quarter of an hour.
 */
const SILENT_COMMANDS = 2

/**
 * Connects in the background. Commands fail at once while Redis is away, and nothing is ever sent
 * twice: with the library's defaults callers hang until Redis is back, and commands that were
 * already executed are repeated after a reconnect (12,000 acknowledged became 13,377 stored).
 * No auto-pipelining either: in ioredis 6.0.0 a script inside it throws outside any promise.
 */
export function connectRedis(target: RedisTarget, options: ConnectOptions): RedisClient {
  const common: Options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: options.commandTimeoutMs * SILENT_COMMANDS,
    connectTimeout: 5_000,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: options.subscriber ?? false,
    retryStrategy: reconnectAfterMs,
    keepAlive: 10_000,
    noDelay: true,
  }
  return quiet(open(target, common))
}

function open(target: RedisTarget, common: Options): RedisClient {
  switch (target.mode) {
    case 'single':
      return new Redis(target.url, common)
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: [...target.sentinels],
        name: target.master,
        sentinelRetryStrategy: reconnectAfterMs,
        failoverDetector: true,
        ...(target.username === undefined ? {} : { username: target.username }),
        ...(target.password === undefined ? {} : { password: target.password }),
      })
    case 'cluster': {
      const first = new URL(target.urls[0] ?? '')
      const cluster: Omit<ClusterOptions, 'redisOptions'> = {
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectAfterMs,
        slotsRefreshTimeout: 2_000,
        slotsRefreshInterval: 5_000,
      }
      const redisOptions = {
        commandTimeout: common.commandTimeout ?? 0,
        socketTimeout: common.socketTimeout ?? 0,
        maxRetriesPerRequest: 0,
        connectTimeout: 5_000,
        autoResubscribe: common.autoResubscribe ?? false,
        noDelay: true,
        ...(first.password ? { password: decodeURIComponent(first.password) } : {}),
        ...(first.username ? { username: decodeURIComponent(first.username) } : {}),
        ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
      }
      const nodes = target.urls.map((text) => {
        const url = new URL(text)
        return { host: url.hostname, port: Number(url.port || 6379) }
      })
      return new Cluster(nodes, { ...cluster, redisOptions })
    }
  }
}

function reconnectAfterMs(attempt: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 10), RECONNECT_MOST_MS)
}

/** Connection errors are seen by whoever issues a command; an unheard 'error' event would end the process. */
function quiet(client: RedisClient): RedisClient {
  client.on('error', () => undefined)
  return client
}
