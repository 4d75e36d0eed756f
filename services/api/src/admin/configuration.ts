import type { ConfigFault } from '@relay/shared/config/fault.js'

/** What is wrong with the configuration of a running relay, and the remedy. */
export interface ConfigurationProblem {
  readonly meaning: string
  readonly next: string
}

/** The problem with the workspaces file or a key file: its first fault. Null: there is none. */
export function workspacesFileProblem(faults: readonly ConfigFault[]): ConfigurationProblem | null {
  const [first] = faults
  if (first === undefined) return null
  const { where, problem, accepted } = first
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : ''
  return {
    meaning: `the workspaces file is invalid (${where}: ${problem}; accepted: ${accepted}${more}), so the last valid one stays in use`,
    next: 'Correct the file; relay reads it at once. Restart nothing before: a process that starts with it exits with 78 (runbook RelayWorkspacesFileFaulty)',
  }
}
