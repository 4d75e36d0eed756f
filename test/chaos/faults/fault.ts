import type { Random } from '@relay/shared/random.js'
import type { Loss, Resumes } from '../oracle/model.js'
import type { Journal } from '../producers/journal.js'
import type { Mood } from '../producers/mood.js'
import type { Stack } from '../stack/stack.js'

/** Faults of one group never overlap; those of different groups do. */
export const GROUPS = [
  'api',
  'worker',
  'redis',
  'network',
  'vendor',
  'config',
  'operator',
  'load',
] as const
export type Group = (typeof GROUPS)[number]

export interface Scene {
  readonly stack: Stack
  readonly random: Random
  readonly journal: Journal
  /** Of the producers. */
  readonly mood: Mood
}

export interface Fault {
  readonly name: string
  readonly group: Group
  /** What of a delivery it can lose, so that elements are sent again. */
  readonly loses: Loss
  /** Whether a connection may look open to MoEngage that relay's side has frozen or lost. */
  readonly mayLinger: boolean
  /** By default as its group: see `resumesOf`. */
  readonly resumes?: Resumes
  /** Drawn only at default settings, or when it is named. */
  readonly onlyDefault?: true
  /** Injects it, lets it last, and takes it back. Returns the processes it touched; none: any. */
  readonly run: (scene: Scene) => Promise<readonly string[] | undefined>
}

const RESUMES: Readonly<Record<Group, Resumes>> = {
  api: 'soon',
  worker: 'lease',
  redis: 'soon',
  network: 'later',
  vendor: 'later',
  config: 'lease',
  operator: 'soon',
  load: 'soon',
}

/** How soon sending has to resume once the fault is over. */
export function resumesOf({ group, resumes }: Fault): Resumes {
  return resumes ?? RESUMES[group]
}
