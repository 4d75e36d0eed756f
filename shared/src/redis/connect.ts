import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis'
import type { RedisTarget } from '../config/redis-url.js'

/** A client for one server, a sentinel's master or a cluster. */
export type RedisClient = Redis | Cluster

export type RedisServer = Redis

/** Without `replyMapping`, the library's types describe replies in their classic shapes. */
type Options = Omit<RedisOptions, 'replyMapping'>

export interface ConnectOptions {
  /** A command without an answer after this long is given up (it may still be executed), ms. */
  readonly commandTimeoutMs: number
}

const RECONNECT_FIRST_MS = 50
const MAX_RECONNECT_MS = 1000
/** Between two connections because of a read-only server, ms. */
const READ_ONLY_EVERY_MS = 5_000
/**
 * Command timeouts without a reply after which a connection is replaced: the peer may be gone without
 * closing it, and TCP would take a quarter of an hour to notice.
 */
const SILENT_COMMANDS = 2

/**
 * Connects in the background. Commands fail immediately while Redis is unavailable, and no command is
 * sent twice: with the library's defaults callers hang until Redis is back, and commands that were
 * already executed are repeated after a reconnect (12,000 acknowledged became 13,377 stored).
 * Auto-pipelining is off, because in ioredis 6.0.0 a script inside it throws outside any promise.
 * Automatic resubscription is off, because it ends the process when that connection fails too:
 * subscribers subscribe on every `ready`.
 */
export function connectRedis(target: RedisTarget, { commandTimeoutMs }: ConnectOptions) {
  return quiet(
    open(target, {
      maxRetriesPerRequest: 0,
      commandTimeout: commandTimeoutMs,
      socketTimeout: commandTimeoutMs * SILENT_COMMANDS,
      connectTimeout: 5_000,
      autoResubscribe: false,
      keepAlive: 10_000,
      noDelay: true,
    }),
  )
}

/** Event of a client that found its server to be a replica and connects again. */
export const BECAME_READ_ONLY = 'relay:read-only'

function open(target: RedisTarget, connection: Options): RedisClient {
  const client: RedisClient = openTarget(target, connection, () => client.emit(BECAME_READ_ONLY))
  return client
}

function openTarget(target: RedisTarget, connection: Options, onReadOnly: () => void): RedisClient {
  // Certificates are verified regardless of NODE_TLS_REJECT_UNAUTHORIZED.
  const tls = { ...target.tls, rejectUnauthorized: true }
  const common: Options = {
    ...connection,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: reconnectAfterMs,
    reconnectOnError: reconnectWhenReadOnly(onReadOnly),
  }
  switch (target.mode) {
    case 'single':
      return joined(new Redis(target.url, { ...common, ...(isSecure(target.url) ? { tls } : {}) }))
    case 'sentinel':
      return joined(
        new Redis({
          ...common,
          sentinels: [...target.sentinels],
          name: target.master,
          sentinelRetryStrategy: reconnectAfterMs,
          failoverDetector: true,
          ...(target.secure ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
          ...(target.username === undefined ? {} : { username: target.username }),
          ...(target.password === undefined ? {} : { password: target.password }),
        }),
      )
    case 'cluster':
      return openCluster(target.urls, connection, tls)
  }
}

/**
 * Connects again when a write is refused because the server became a replica: the address may lead to the
 * new master, and the role is looked at on connecting.
 */
function reconnectWhenReadOnly(onReadOnly: () => void): (error: Error) => boolean {
  let connectedAtMs = -Infinity
  return ({ message }) => {
    const nowMs = performance.now()
    if (!message.startsWith('READONLY') || nowMs - connectedAtMs < READ_ONLY_EVERY_MS) return false
    connectedAtMs = nowMs
    onReadOnly()
    return true
  }
}

function isSecure(url: string): boolean {
  return url.startsWith('rediss:')
}

function openCluster(
  urls: readonly string[],
  connection: Options,
  tls: Options['tls'] & object,
): Cluster {
  const options: Omit<ClusterOptions, 'redisOptions'> = {
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectAfterMs,
    slotsRefreshTimeout: 2_000,
    slotsRefreshInterval: 5_000,
  }
  const nodes = urls.map((text) => new URL(text))
  const first = nodes[0]
  const redisOptions = {
    ...connection,
    ...(first?.password ? { password: decodeURIComponent(first.password) } : {}),
    ...(first?.username ? { username: decodeURIComponent(first.username) } : {}),
    ...(isSecure(urls[0] ?? '') ? { tls } : {}),
  }
  const cluster = new Cluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
    { ...options, redisOptions },
  )
  cluster.on('+node', joined)
  return cluster
}

function reconnectAfterMs(attempt: number): number {
  return Math.min(RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 10), MAX_RECONNECT_MS)
}

/**
 * Sends the commands of one turn of the event loop in one write: a system call each would cost more than
 * the rest of a command. This has the effect of auto-pipelining without its bug (above).
 */
function joined(client: Redis): Redis {
  client.on('connect', () => {
    const { stream } = client
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    let corked = false
    stream.write = (...args: unknown[]) => {
      if (!corked) {
        corked = true
        stream.cork()
        setImmediate(() => {
          corked = false
          stream.uncork()
        })
      }
      return write(...args)
    }
  })
  return client
}

/** Callers of commands see connection errors; an unhandled 'error' event would end the process. */
function quiet(client: RedisClient): RedisClient {
  client.on('error', () => undefined)
  return client
}
