import type { Random } from '@relay/shared/random.js'
import type { Disturbance, Law } from '../oracle/model.js'
import type { Journal } from '../producers/journal.js'
import type { Mood } from '../producers/mood.js'
import type { Conditions } from '../stack/settings.js'
import type { Remains } from '../stack/remains.js'
import type { Stack } from '../stack/stack.js'
import type { Views } from '../stack/views.js'

/** What a plot acts on. */
export interface Stage {
  readonly stack: Stack
  readonly remains: Remains
  readonly journal: Journal
  readonly random: Random
  /** Of the usual producers. */
  readonly mood: Mood
  readonly say: (line: string) => void
  readonly views: Views
  /** Notes a broken law that only this plot can see. */
  readonly breach: (law: Law, detail: string) => void
}

/** What happens in a run: faults drawn by chance, or a schedule that aims at one mechanism. */
export interface Plot {
  readonly conditions: Conditions
  /** Whether the usual producers post meanwhile. */
  readonly load: boolean
  /** How long all may take to be delivered after it, ms. */
  readonly drainWithinMs: number
  /** Redis' clock, as relay reads it, can be stepped. */
  readonly steppingRedis?: true
  /** Plays it to its end; returns what was done to relay. */
  readonly play: (stage: Stage) => Promise<readonly Disturbance[]>
}

/** A schedule that aims at one mechanism. */
export interface Aimed extends Plot {
  readonly name: string
  /** What happens, as the record says it. */
  readonly about: string
}

export const DRAIN_WITHIN_MS = 60_000
