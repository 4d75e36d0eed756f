import type { Keyring } from './secret.js'
import type { Workspace } from './workspace.js'

/** Something that is accepted and should not stay so. */
export interface Doubt {
  readonly where: string
  /** Names the thing; never quotes a secret. */
  readonly problem: string
  readonly remedy: string
}

/** Who may post, and who may operate. */
export interface Credentials {
  readonly producers: Keyring
  readonly operators: Keyring
}

const STRONG = 'Make one with: openssl rand -base64 24'
const LOOPBACK = /^http:\/\/(?:127(?:\.\d+){3}|localhost|\[::1\])(?::|\/|$)/

/** All that is doubtful about what a process was told. */
export function configDoubts(workspaces: readonly Workspace[], credentials: Credentials): Doubt[] {
  return [
    ...secretDoubts(credentials),
    ...workspaceDoubts(workspaces),
    ...producerDoubts(workspaces, credentials.producers),
  ]
}

/** Secrets that can be guessed, and such that open more than one door; from files, too. */
export function secretDoubts({ producers, operators }: Credentials): Doubt[] {
  const doubts = producers.weak.map((name): Doubt => {
    return { where: 'RELAY_PRODUCERS', problem: `the secret of ${name} is short`, remedy: STRONG }
  })
  if (operators.weak.length > 0) {
    doubts.push({ where: 'RELAY_ADMIN_TOKEN', problem: 'is short', remedy: STRONG })
  }
  for (const [name] of producers.sharedWith(operators)) {
    const problem = `the secret of ${name} is an admin token, too: it opens the operator API`
    doubts.push({ where: 'RELAY_PRODUCERS', problem, remedy: STRONG })
  }
  for (const [one, other] of producers.sharedWith(producers)) {
    if (one >= other) continue
    const problem = `${one} and ${other} have the same secret: they cannot be told apart`
    doubts.push({ where: 'RELAY_PRODUCERS', problem, remedy: STRONG })
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
