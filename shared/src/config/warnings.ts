import type { Keyring } from './secret.js'
import type { Workspace } from './workspace.js'

/** A setting that is accepted but should be changed. */
export interface ConfigWarning {
  readonly where: string
  /** Names the thing; never quotes a secret. */
  readonly problem: string
  readonly remedy: string
}

export interface Credentials {
  readonly producers: Keyring
  readonly operators: Keyring
}

const STRONG = 'Make one with: openssl rand -base64 24'
/** A part of the Data API's paths; any other path is that of a gateway. */
const API_PATH = /\/v1(?:\/|$)/
const LOOPBACK = /^http:\/\/(?:127(?:\.\d+){3}|localhost|\[::1\])(?::|\/|$)/

export function configWarnings(
  workspaces: readonly Workspace[],
  credentials: Credentials,
): ConfigWarning[] {
  return [
    ...secretWarnings(credentials),
    ...workspaceWarnings(workspaces),
    ...producerWarnings(workspaces, credentials.producers),
  ]
}

/** Weak secrets and secrets used twice, also in files. */
export function secretWarnings({ producers, operators }: Credentials): ConfigWarning[] {
  const warnings = producers.weak.map((name): ConfigWarning => {
    return { where: 'RELAY_PRODUCERS', problem: `the secret of ${name} is short`, remedy: STRONG }
  })
  if (operators.weak.length > 0) {
    warnings.push({ where: 'RELAY_ADMIN_TOKEN', problem: 'is short', remedy: STRONG })
  }
  for (const [name] of producers.sharedWith(operators)) {
    const problem = `the secret of ${name} is also an admin token for the operator API`
    warnings.push({ where: 'RELAY_PRODUCERS', problem, remedy: STRONG })
  }
  for (const [one, other] of producers.sharedWith(producers)) {
    if (one >= other) continue
    const problem = `${one} and ${other} have the same secret, so relay cannot distinguish them`
    warnings.push({ where: 'RELAY_PRODUCERS', problem, remedy: STRONG })
  }
  return warnings
}

/** API keys sent over plain HTTP, and base URLs that contain a part of the path that relay adds. */
export function workspaceWarnings(workspaces: readonly Workspace[]): ConfigWarning[] {
  const plain = workspaces.filter(
    ({ baseUrl }) => baseUrl.startsWith('http:') && !LOOPBACK.test(baseUrl),
  )
  const doubled = workspaces.filter(({ baseUrl }) => API_PATH.test(new URL(baseUrl).pathname))
  return [
    ...plain.map(({ appId, baseUrl }) => ({
      where: `workspace ${appId}`,
      problem: `${baseUrl} sends the API key over plain HTTP`,
      remedy: 'Use https, as MoEngage does',
    })),
    ...doubled.map(({ appId, baseUrl }) => ({
      where: `workspace ${appId}`,
      problem: `relay adds its path to baseUrl and posts to ${baseUrl}/v1/transition/${appId}`,
      remedy: 'Remove /v1 and everything after it from baseUrl',
    })),
  ]
}

/** Unknown producers that a workspace references, probably misspelt. */
export function producerWarnings(
  workspaces: readonly Workspace[],
  producers: Keyring,
): ConfigWarning[] {
  return workspaces.flatMap(({ appId, producers: allowed, quotas }) => {
    const named = new Set([...(allowed ?? []), ...quotas.keys()])
    const unknown = [...named].filter((name) => !producers.names.includes(name))
    return unknown.map((name) => ({
      where: `workspace ${appId}`,
      problem: `references unknown producer "${name}" (not in RELAY_PRODUCERS)`,
      remedy: 'Correct the name, or give the producer a secret',
    }))
  })
}
