import { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import { configWarnings } from '@relay/shared/config/warnings.js'
import { parseEnvironment, type Config } from '@relay/shared/config/environment.js'
import { ConfigError, type ConfigFault } from '@relay/shared/config/fault.js'
import { tlsFaults } from '@relay/shared/config/tls-files.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { REAL_WORKSPACE } from '@relay/shared/config/settings.js'
import { FileWorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { failed, ok, warning, type Finding } from './finding.js'

export interface CheckedConfig {
  readonly findings: readonly Finding[]
  /** A service does not start with it. */
  readonly isFaulty: boolean
  /** null: unusable. */
  readonly config: Config | null
  readonly workspaces: readonly Workspace[]
}

type Environment = Readonly<Record<string, string | undefined>>

const OPS_PORT = 9464

/** The caller's environment, with the settings of a running npm start unless it selects another relay. Pure. */
export function environmentToCheck(env: Environment, running: Environment | null): Environment {
  if (running === null) return env
  const namesWorkspace = (one: Environment): boolean => REAL_WORKSPACE.some((name) => one[name])
  // REDIS_URL selects no other relay: npm start uses it, too.
  if (!namesWorkspace(env)) return { ...env, ...running }
  // One with a real workspace keeps only what it chose itself.
  if (namesWorkspace(running)) return env
  const chosen = Object.entries(running).filter(([name]) => !env[name] && !env[`${name}_FILE`])
  return { ...env, ...Object.fromEntries(chosen) }
}

/** Reads environment and workspaces file as the services do. */
export function checkConfiguration(env: Environment): CheckedConfig {
  let config: Config
  try {
    config = parseEnvironment(env, OPS_PORT)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const findings = faultFindings(error.faults, env)
    return { findings, isFaulty: true, config: null, workspaces: [] }
  }
  const directory = new FileWorkspaceDirectory(config, { needsKeys: false })
  const credentials = new CredentialDirectory(config)
  const faults = [...directory.load(), ...credentials.load(), ...tlsFaults(config.tls)]
  const workspaces = directory.all()
  const names = workspaces.map(({ appId }) => appId).join(', ')
  const findings = [
    ok('environment', 'all settings are valid'),
    ...faults.map(fault),
    ...(faults.length === 0 ? [ok('workspaces', `${workspaces.length}: ${names}`)] : []),
    ...workspaces.filter(({ apiKey }) => apiKey === '').map(keyUnread),
    ...secretFindings(config, credentials),
    ...configWarnings(workspaces, credentials).map(({ where, problem, remedy }) =>
      warning(where, problem, remedy),
    ),
  ]
  return { findings, isFaulty: faults.length > 0, config, workspaces }
}

/** Without any workspace in this environment, the services have another one: one finding says so. */
function faultFindings(faults: readonly ConfigFault[], env: Environment): Finding[] {
  if (REAL_WORKSPACE.some((name) => env[name])) return faults.map(fault)
  const others = faults.filter(({ where }) => !where.startsWith('MOENGAGE_'))
  const detail = 'this shell sets neither RELAY_WORKSPACES_FILE nor MOENGAGE_APP_ID'
  return [...others.map(fault), failed('workspaces', detail, OF_THE_SERVICES)]
}

const OF_THE_SERVICES =
  'Run relay check with the environment of the services (their .env file, unit or container); to check a relay of npm start, start it first'

/** Compares the workspaces of this environment with those that a running api serves. Pure. */
export function comparedWith(
  served: readonly string[],
  checked: readonly string[],
  url: string,
): Finding[] {
  const differ = served.length !== checked.length || served.some((id) => !checked.includes(id))
  if (!differ) return []
  const ids = (all: readonly string[]) => (all.length === 0 ? 'none' : all.join(', '))
  const detail = `the api at ${url} serves other workspaces (${ids(served)}) than this shell names (${ids(checked)})`
  return [warning('services', detail, OF_THE_SERVICES)]
}

/** On Kubernetes only workers have the keys and the way to MoEngage, and only the api has the command line. */
function keyUnread({ appId }: Workspace): Finding {
  return warning(
    `Key of ${appId}`,
    'its file cannot be read here, so neither it nor the way to MoEngage is checked; only workers need them',
    'See relay status: a workspace whose key MoEngage refuses is held. To test the key, run relay check --credentials where its file can be read',
  )
}

function fault({ where, problem, accepted }: ConfigFault): Finding {
  const isWorkspace = where.startsWith('MOENGAGE_')
  const hint = isWorkspace ? '; to check a relay of npm start, start it first' : ''
  return failed(where, problem, `Give ${accepted}${hint}`)
}

function secretFindings(
  { adminToken, adminTokenFile }: Config,
  credentials: CredentialDirectory,
): Finding[] {
  const findings: Finding[] = []
  if (credentials.producers.isEmpty) {
    findings.push(
      warning('RELAY_PRODUCERS', 'every post is rejected', 'Set RELAY_PRODUCERS=name:secret'),
    )
  }
  if (adminToken === null && adminTokenFile === null) {
    findings.push(
      warning(
        'RELAY_ADMIN_TOKEN',
        'the operator API is closed',
        'Set it to enable console and command line',
      ),
    )
  }
  return findings
}
