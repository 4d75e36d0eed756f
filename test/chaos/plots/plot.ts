import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@relay/shared/random.js'
import { nowMs } from '../clock.js'
import type { Disturbance, Law, Loss } from '../oracle/model.js'
import type { Journal, Mood } from '../producers/journal.js'
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
  /** What was done to relay. */
  readonly disturbances: Disturbance[]
  /** Notes a broken law that only this plot can see. */
  readonly breach: (law: Law, detail: string) => void
}

/** What happens in a run: faults drawn by chance, or a schedule that aims at one mechanism. */
export interface Plot {
  readonly conditions: Conditions
  /** The usual producers post meanwhile. */
  readonly load?: true
  /** How long all may take to be delivered after it, ms; a minute unless given. */
  readonly drainWithinMs?: number
  /** Redis' clock, as relay reads it, can be stepped. */
  readonly steppingRedis?: true
  /** Plays it to its end. */
  readonly play: (stage: Stage) => Promise<void>
}

/** A schedule that aims at one mechanism. */
export interface Aimed extends Plot {
  readonly name: string
  /** What happens, as the record says it. */
  readonly about: string
}

export const DRAIN_WITHIN_MS = 60_000

/** Acts on relay, and notes what it does to it, from begin to end. */
export async function disturb(
  { disturbances }: Stage,
  name: string,
  kind: { readonly loses: Loss; readonly mayLinger?: true },
  act: () => Promise<void>,
): Promise<void> {
  const fromMs = nowMs()
  await act()
  disturbances.push({ name, mayLinger: false, ...kind, fromMs, toMs: nowMs() })
}

/** How Redis knows a script of the relay that runs. */
export async function digestOf({ stack }: Stage, script: string): Promise<string> {
  const text = await readFile(join(stack.root, `shared/lua/${script}.lua`), 'utf8')
  return createHash('sha1').update(text).digest('hex')
}
