/** PEM texts for TLS to Redis; each may be left to the system. */
export interface RedisTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** How to reach Redis: one server, a cluster, or a master that sentinels name. */
export type RedisTarget = RedisPlace & { readonly tls?: RedisTls }

type RedisPlace =
  | { readonly mode: 'single'; readonly url: string }
  | { readonly mode: 'cluster'; readonly urls: readonly string[] }
  | {
      readonly mode: 'sentinel'
      readonly sentinels: readonly { host: string; port: number }[]
      readonly master: string
      readonly username?: string | undefined
      readonly password?: string | undefined
      /** `rediss+sentinel`: TLS to the sentinels and to the master. */
      readonly secure: boolean
    }

export const REDIS_URL_ACCEPTED =
  'redis://host:port, rediss://host:port, several of them separated by commas (Cluster), or redis+sentinel://host:port,host:port/master-name (rediss+sentinel for TLS)'

const SENTINEL = /^redis(s?)\+sentinel:\/\/(.*)$/s
const SENTINEL_PORT = 26379

/** Parses `REDIS_URL`; null when it has none of the accepted forms. */
export function parseRedisUrl(text: string): RedisTarget | null {
  const [, secure, rest] = SENTINEL.exec(text) ?? []
  if (rest !== undefined) return parseSentinel(rest, secure === 's')
  const urls = text.split(',').map((part) => part.trim())
  if (!urls.every(isRedisUrl)) return null
  const [first] = urls
  if (first === undefined) return null
  return urls.length === 1 ? { mode: 'single', url: first } : { mode: 'cluster', urls }
}

function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return (url.protocol === 'redis:' || url.protocol === 'rediss:') && url.hostname !== ''
}

function parseSentinel(rest: string, secure: boolean): RedisTarget | null {
  const match = /^(?:([^:@/]*):([^@/]*)@)?([^/@]+)\/([^/]+)$/.exec(rest)
  if (!match) return null
  const [, username, password, hosts = '', master = ''] = match
  const sentinels = hosts.split(',').map((entry) => {
    const [host = '', port = String(SENTINEL_PORT)] = entry.trim().split(':')
    return { host, port: Number(port) }
  })
  if (!sentinels.every((s) => s.host !== '' && Number.isInteger(s.port) && s.port > 0)) return null
  return {
    mode: 'sentinel',
    sentinels,
    master,
    secure,
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  }
}
