import { CredentialDirectory } from '@relay/shared/config/credential-directory.js'
import { configWarnings } from '@relay/shared/config/warnings.js'
import { parseEnvironment, type Config } from '@relay/shared/config/environment.js'
import { ConfigError, type ConfigFault } from '@relay/shared/config/fault.js'
import { tlsFaults } from '@relay/shared/config/tls-files.js'
import type { Workspace } from '@relay/shared/config/workspace.js'
import { FileWorkspaceDirectory } from '@relay/shared/config/workspace-directory.js'
import { failed, ok, warning, type Finding } from './finding.js'

export interface CheckedConfig {
  readonly findings: readonly Finding[]
  /** null: unusable. */
  readonly config: Config | null
  readonly workspaces: readonly Workspace[]
}

type Environment = Readonly<Record<string, string | undefined>>

const OPS_PORT = 9464

/**
 * Any of these selects a relay other than the one of npm start. REDIS_URL does not, because npm start
 * uses it, too.
 */
const NAMES_A_RELAY = [
  'MOENGAGE_APP_ID',
  'MOENGAGE_API_KEY',
  'MOENGAGE_BASE_URL',
  'MOENGAGE_DC',
  'RELAY_WORKSPACES_FILE',
]

/** The caller's environment, with the settings of a running npm start if it selects no relay. Pure. */
export function environmentToCheck(env: Environment, running: Environment | null): Environment {
  return running === null || NAMES_A_RELAY.some((name) => env[name]) ? env : { ...env, ...running }
}

/** Reads environment and workspaces file as the services do. */
export function checkConfiguration(env: Environment): CheckedConfig {
  let config: Config
  try {
    config = parseEnvironment(env, OPS_PORT)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { findings: error.faults.map(fault), config: null, workspaces: [] }
  }
  const directory = new FileWorkspaceDirectory(config)
  const credentials = new CredentialDirectory(config)
  const faults = [...directory.load(), ...credentials.load(), ...tlsFaults(config.tls)]
  const workspaces = directory.all()
  const names = workspaces.map(({ appId }) => appId).join(', ')
  const findings = [
    ok('environment', 'all settings are valid'),
    ...faults.map(fault),
    ...(faults.length === 0 ? [ok('workspaces', `${String(workspaces.length)}: ${names}`)] : []),
    ...secretFindings(config, credentials),
    ...configWarnings(workspaces, credentials).map(({ where, problem, remedy }) =>
      warning(where, problem, remedy),
    ),
  ]
  return { findings, config, workspaces }
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
