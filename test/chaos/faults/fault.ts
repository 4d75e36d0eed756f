import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@relay/shared/random.js'
import type { Loss, Resumes } from '../oracle/model.js'
import type { Journal, Mood } from '../producers/journal.js'
import { between } from '@relay/shared/seeded-random.js'
import type { Stack } from '../stack/stack.js'

/** Faults of one group never overlap; those of different groups do. */
export const GROUPS = ['api', 'worker', 'redis', 'network', 'vendor', 'config', 'operator', 'load'] as const // prettier-ignore
export type Group = (typeof GROUPS)[number]

export interface Scene {
  readonly stack: Stack
  readonly random: Random
  readonly journal: Journal
  /** Of the producers. */
  readonly mood: Mood
}

/** Injects it, lets it last, and takes it back. Returns the processes it touched; none: any. */
type Run = (scene: Scene) => Promise<readonly string[] | undefined>

interface Traits {
  readonly group: Group
  /** What of a delivery it can lose, so that elements are sent again; nothing unless given. */
  readonly loses?: Loss
  /** A connection may look open to MoEngage that relay's side has frozen or lost. */
  readonly mayLinger?: true
  /** By default as its group: see `resumesOf`. */
  readonly resumes?: Resumes
  /** Drawn only at default settings, or when it is named. */
  readonly onlyDefault?: true
}

export interface Fault extends Omit<Traits, 'loses' | 'mayLinger'> {
  readonly name: string
  readonly loses: Loss
  readonly mayLinger: boolean
  readonly run: Run
}

export const fault = (name: string, traits: Traits, run: Run): Fault => ({
  ...{ name, loses: 'nothing', mayLinger: false, ...traits },
  run,
})

/** Lets a fault last, ms. */
export const lasting = (random: Random, leastMs: number, mostMs: number): Promise<void> =>
  sleep(between(random, leastMs, mostMs))

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
