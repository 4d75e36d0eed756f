import { PRIVATE } from '../folders.js'
import { onPath } from '../process/command.js'
import { fetchFromDebian, fetchedServer } from './debian.js'
import type { RedisServerProgram } from './program.js'

export interface FindOptions {
  /** Where a fetched server is kept. */
  readonly cacheDir?: string
  /** Instead of the environment's PATH. */
  readonly path?: string
  readonly report?: (line: string) => void
}

/** In order of preference; both speak everything that relay uses. */
export const SERVER_NAMES = ['redis-server', 'valkey-server'] as const

const REMEDIES = [
  'Debian, Ubuntu:  sudo apt-get install -y redis-server',
  'macOS:           brew install redis',
  'Docker:          docker run -d -p 6379:6379 redis:7 redis-server --appendonly yes --maxmemory-policy noeviction',
  '                 and set REDIS_URL=redis://127.0.0.1:6379',
]

export class NoRedisServer extends Error {
  constructor(why: string) {
    super(
      `No Redis server: REDIS_URL is not set, there is no ${SERVER_NAMES.join(' or ')} on PATH, and ${why}.\n` +
        `Install one, in one line:\n${REMEDIES.map((line) => `  ${line}`).join('\n')}`,
    )
    this.name = 'NoRedisServer'
  }
}

/**
 * A Redis or Valkey server: on PATH, fetched before, or fetched now from the Debian or Ubuntu
 * archive into relay's private folder (no root, no service). Throws `NoRedisServer`, which names
 * the remedies. Safe to call from several processes at once.
 */
export async function findRedisServer(options: FindOptions = {}): Promise<RedisServerProgram> {
  const { cacheDir = PRIVATE, path = process.env.PATH ?? '', report = () => undefined } = options
  for (const name of SERVER_NAMES) {
    const found = await onPath(name, path)
    if (found !== null) return { path: found, env: {} }
  }
  const cached = await fetchedServer(cacheDir)
  if (cached !== null) return cached
  const fetched = await fetchFromDebian(cacheDir, path, report)
  if ('program' in fetched) return fetched.program
  throw new NoRedisServer(fetched.problem)
}
