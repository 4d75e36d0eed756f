/** EX_CONFIG of sysexits.h: the configuration is invalid. */
export const EXIT_CONFIG = 78

/** One fault of the configuration, described for its author. */
export interface ConfigFault {
  /** Environment variable, or file and path inside it. */
  readonly where: string
  readonly problem: string
  /** Description of the accepted values. */
  readonly accepted: string
}

/** All faults of a configuration, reported together. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(describeFault).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

export function describeFault({ where, problem, accepted }: ConfigFault): string {
  return `${where}: ${problem}. Accepted: ${accepted}.`
}
