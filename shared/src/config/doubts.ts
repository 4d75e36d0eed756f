import type { Config } from './environment.js'
import { isHashed, type Keyring } from './secret.js'
import type { Workspace } from './workspace.js'

/** Something that is accepted and should not stay so. */
export interface Doubt {
  readonly where: string
  /** Names the thing; never quotes a secret. */
  readonly problem: string
  readonly remedy: string
}

/** Shorter secrets can be tried out, characters. */
const SHORT_SECRET = 16
const STRONG = 'Make one with: openssl rand -base64 24'
const LOOPBACK = /^http:\/\/(?:127(?:\.\d+){3}|localhost|\[::1\])(?::|\/|$)/

/** All that is doubtful about what a process was told. */
export function configDoubts(
  config: Config,
  workspaces: readonly Workspace[],
  producers: Keyring,
): Doubt[] {
  return [
    ...secretDoubts(config),
    ...workspaceDoubts(workspaces),
    ...producerDoubts(workspaces, producers),
  ]
}

/** Secrets that can be guessed. Of a hash nobody can tell. */
export function secretDoubts({ producers, adminToken }: Config): Doubt[] {
  const isShort = (secret: string) => !isHashed(secret) && secret.length < SHORT_SECRET
  const short = [...producers].filter(([, secrets]) => secrets.some(isShort))
  const doubts = short.map(([name]): Doubt => {
    return { where: 'RELAY_PRODUCERS', problem: `the secret of ${name} is short`, remedy: STRONG }
  })
  if (adminToken !== null && isShort(adminToken)) {
    doubts.push({ where: 'RELAY_ADMIN_TOKEN', problem: 'is short', remedy: STRONG })
  }
  return doubts
}

/** API keys that travel in clear. */
export function workspaceDoubts(workspaces: readonly Workspace[]): Doubt[] {
  const plain = workspaces.filter(
    ({ baseUrl }) => baseUrl.startsWith('http:') && !LOOPBACK.test(baseUrl),
  )
  return plain.map(({ appId, baseUrl }) => ({
    where: `workspace ${appId}`,
    problem: `${baseUrl} carries the API key in clear`,
    remedy: 'Use https, as MoEngage does',
  }))
}

/** Producers that a workspace names and nobody is: most likely a slip of the pen. */
export function producerDoubts(workspaces: readonly Workspace[], producers: Keyring): Doubt[] {
  return workspaces.flatMap(({ appId, producers: allowed, quotas }) => {
    const named = new Set([...(allowed ?? []), ...quotas.keys()])
    const unknown = [...named].filter((name) => !producers.names.includes(name))
    return unknown.map((name) => ({
      where: `workspace ${appId}`,
      problem: `names the producer ${name}, whom RELAY_PRODUCERS does not have`,
      remedy: 'Correct the name, or give the producer a secret',
    }))
  })
}
