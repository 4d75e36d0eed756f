import type { DrillSetup, DrillSetupOptions } from './drill-setup.js'

/** What an on-call person does by the runbook, and what the page promises then. */
interface Step {
  /** Page of docs/runbook, without its ending. */
  readonly page: string
  /** Number of the step under _What to do_; its words are read from the page. */
  readonly step: number
  /** What was done here, in the past tense. */
  readonly did: string
  readonly act: (setup: DrillSetup) => Promise<void>
}

/** One trouble, on purpose: brought about, noticed, dealt with by the book, and over. */
export interface Drill {
  /** For the command line and the file of its picture. */
  readonly name: string
  readonly title: string
  /** What is brought about, in the past tense. */
  readonly injected: string
  readonly setup?: DrillSetupOptions
  readonly inject: (setup: DrillSetup) => Promise<void>
  /** Alerts that have to fire before anything is done; others may. Empty: none may page. */
  readonly alerts: readonly string[]
  /** Alerts that would blame something else: the drill fails when one fires. */
  readonly misleading?: readonly string[]
  /** A query that also has to find something before anything is done. */
  readonly seen?: string
  readonly steps: readonly Step[]
  /** Queries that find something once all is well again, by what they say. */
  readonly well: Readonly<Record<string, string>>
  /** What one learns from the first row of the overview. */
  readonly reading: string
}

/** Of what all drills wait for in the end: nothing but what just came still waits. */
export const DRAINED = {
  'the backlog is gone': 'sum(max by (app_id, kind, lane) (relay_backlog_elements)) < 200',
} as const

export const DELIVERS = {
  'elements are delivered': 'sum(rate(relay_delivered_elements_total[5s])) > 5',
} as const
