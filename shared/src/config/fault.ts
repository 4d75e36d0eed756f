/** EX_CONFIG of sysexits.h: the process was told something that it cannot work with. */
export const EXIT_CONFIG = 78

/** One thing wrong with the configuration, in words for the person who wrote it. */
export interface ConfigFault {
  /** Environment variable, or file and path inside it. */
  readonly where: string
  readonly problem: string
  /** What would be accepted instead. */
  readonly accepted: string
}

/** All faults of a configuration at once, so that they are mended in one go. */
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
