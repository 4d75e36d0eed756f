import type { Clock } from '@relay/shared/clock.js'
import type { OperatorApi } from '../operator-api.js'
import type { GlobalOptions } from '../settings.js'
import type { Terminal } from '../terminal.js'

/** The context of every command. */
export interface Context {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly api: (options: GlobalOptions) => OperatorApi
  readonly sleep: (ms: number) => Promise<void>
  /** From now on Ctrl-C only asks to end; `release` makes it end the process again. */
  readonly interrupted: () => { readonly asked: () => boolean; readonly release: () => void }
  /** Sets the exit status of a command that succeeded and found a problem. */
  readonly fail: (status: number) => void
}
