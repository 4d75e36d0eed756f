import type { Random } from '@relay/shared/random.js'
import type { Stack } from '../stack/stack.js'

/** Faults of one group never overlap; those of different groups do. */
export const GROUPS = ['api', 'worker', 'redis', 'network', 'vendor', 'config'] as const
export type Group = (typeof GROUPS)[number]

export interface Scene {
  readonly stack: Stack
  readonly random: Random
  /** Sets the share of poison that producers post from now on. */
  readonly poison: (share: number) => void
}

export interface Fault {
  readonly name: string
  readonly group: Group
  /** Whether elements may be sent again because of it. Stricter than "it is a fault". */
  readonly mayDuplicate: boolean
  /** Whether a connection may look open to MoEngage that relay's side has frozen or lost. */
  readonly mayLinger: boolean
  /** Injects it, lets it last, and takes it back. */
  readonly run: (scene: Scene) => Promise<void>
}
