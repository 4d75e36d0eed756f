import { BUDGETS, NO_COST, perBudget, type Budget } from '@relay/shared/budget/cost.js'
import { drainSeconds } from '@relay/shared/budget/drain.js'
import type { Clock } from '@relay/shared/clock.js'
import { KINDS, LANES, type Kind } from '@relay/shared/element.js'
import type { WorkspaceView } from '../render/status.js'
import { count, counted, duration } from '../render/table.js'
import type { Terminal } from '../terminal.js'

interface DisplayOptions {
  readonly terminal: Terminal
  readonly clock: Clock
  /** The workspace as relay reports it; null without access. */
  readonly view: () => Promise<WorkspaceView | null>
  /** On a terminal, one line that changes; otherwise a line now and then. */
  readonly isLive: boolean
  readonly isQuiet: boolean
}

/** Interval between lines without a terminal, ms. */
const NOTE_EVERY_MS = 10_000
/** How often the budgets are read, ms. */
const VIEW_EVERY_MS = 5_000

/** Shows the progress of an import. */
export class Display {
  readonly #options: DisplayOptions
  readonly #pace = new Pace()
  readonly #rate = new DeliveryRate()
  #shownAtMs = -Infinity
  #viewAtMs = -Infinity
  /** The workspace as last seen, and the lines that were sent when it was asked for. */
  #seen: { readonly view: WorkspaceView; readonly lines: number } | null = null
  #waitsFor = ''

  constructor(options: DisplayOptions) {
    this.#options = options
  }

  show(progress: Progress): void {
    const { isLive, isQuiet, terminal } = this.#options
    if (isQuiet) return
    this.#waitsFor = ''
    this.#pace.add(progress)
    this.#look(progress.lines)
    const nowMs = this.#options.clock.monotonicMs()
    if (!isLive && nowMs - this.#shownAtMs < NOTE_EVERY_MS) return
    this.#shownAtMs = nowMs
    const line = progressLine(progress, this.#pace, this.#deliverySeconds(progress))
    if (isLive) terminal.redraw(line)
    else terminal.note(line)
  }

  /** Elements per second that MoEngage accepts; null if unknown. */
  get deliveredPerSecond(): number | null {
    return this.#rate.perSecond
  }

  waits(why: string): void {
    if (this.#options.isQuiet || why === this.#waitsFor) return
    this.#waitsFor = why
    this.#options.terminal.note(`${this.#options.isLive ? '\n' : ''}Waiting: ${why}`)
  }

  #deliverySeconds({ share, lines }: Progress): number | null {
    if (this.#seen === null || share === 0) return null
    // Lines sent since then are not in that backlog.
    const linesLeft = lines / share - this.#seen.lines
    return deliverySeconds(this.#seen.view, linesLeft, this.#rate.perSecond)
  }

  /** Does not wait for the answer: the import continues meanwhile. */
  #look(lines: number): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#viewAtMs < VIEW_EVERY_MS) return
    this.#viewAtMs = nowMs
    void this.#options.view().then((view) => {
      this.#seen = view === null ? null : { view, lines }
      if (view === null) return
      const { realtime, backfill } = view.backlog
      const windowMs = view.budget_window_seconds * 1000
      this.#rate.add({
        atMs: nowMs,
        sent: lines,
        waiting: realtime.total + backfill.total,
        windowMs,
      })
    })
  }
}

export interface Progress {
  /** Share of the file that was read, 0..1. */
  readonly share: number
  readonly lines: number
  readonly rejected: number
  readonly nowMs: number
}

const BAR = 24
/** The rate covers this time. */
const PACE_MS = 30_000
/** A rate over less than this is unreliable. */
const PACE_FROM_MS = 500

/** The recent rate of an import. */
export class Pace {
  readonly #samples = new Recent<Progress>()

  add(progress: Progress): void {
    this.#samples.add(progress, PACE_MS)
  }

  get linesPerSecond(): number | null {
    return this.#samples.perSecond(({ lines }) => lines, PACE_FROM_MS)
  }

  /** Until the file has been read to its end. */
  get etaSeconds(): number | null {
    const sharePerSecond = this.#samples.perSecond(({ share }) => share, PACE_FROM_MS)
    return sharePerSecond ? (1 - (this.#samples.last?.share ?? 0)) / sharePerSecond : null
  }
}

/** Samples of late, and the rates that follow from them. */
class Recent<Sample extends { readonly nowMs: number }> {
  #samples: Sample[] = []

  /** Adds a sample, and drops those that are older than `forMs`. */
  add(sample: Sample, forMs: number): void {
    this.#samples.push(sample)
    const fromMs = sample.nowMs - forMs
    // One sample from before stays: the rate is measured from it.
    while ((this.#samples[1]?.nowMs ?? Infinity) <= fromMs) this.#samples.shift()
  }

  clear(): void {
    this.#samples = []
  }

  get last(): Sample | undefined {
    return this.#samples.at(-1)
  }

  /** null while the samples cover less than `minMs`. */
  perSecond(of: (sample: Sample) => number, minMs: number): number | null {
    const [first, last] = [this.#samples[0], this.last]
    if (first === undefined || last === undefined) return null
    const spanMs = last.nowMs - first.nowMs
    return spanMs < minMs ? null : ((of(last) - of(first)) * 1000) / spanMs
  }
}

/** One line: bar, lines, rate, time until all is sent, and until MoEngage has it. */
export function progressLine(
  { share, lines, rejected }: Progress,
  pace: Pace,
  deliverySeconds: number | null,
): string {
  const full = Math.round(Math.min(1, share) * BAR)
  const bar = `${'#'.repeat(full)}${'.'.repeat(BAR - full)}`
  const { linesPerSecond, etaSeconds } = pace
  return [
    `[${bar}] ${Math.floor(share * 100)} %`,
    counted(lines, 'line'),
    ...(linesPerSecond === null ? [] : [`${count(Math.round(linesPerSecond))}/s`]),
    etaSeconds === null ? 'ETA -' : `ETA ${duration(etaSeconds)}`,
    ...(deliverySeconds === null ? [] : [`at MoEngage in ${duration(deliverySeconds)}`]),
    ...(rejected > 0 ? [`${count(rejected)} refused`] : []),
  ].join('  ')
}

/**
 * Seconds until MoEngage has the backlog and `linesLeft` more of the same kinds, within the budgets;
 * null while sending is stopped. `perSecond` is the recent rate, which decides if it is lower than the
 * budgets allow.
 */
export function deliverySeconds(
  view: WorkspaceView,
  linesLeft: number,
  perSecond: number | null = null,
): number | null {
  if (view.state !== 'running') return null
  const { backfill } = view.backlog
  const budgetOf = (kind: Kind): Budget =>
    kind === 'event' ? 'events' : kind === 'device' && view.budgets.devices ? 'devices' : 'users'
  const waiting = { ...NO_COST }
  for (const kind of KINDS) {
    const share = backfill.total === 0 ? Number(kind === 'user') : backfill[kind] / backfill.total
    const waits = LANES.reduce((sum, lane) => sum + view.backlog[lane][kind], 0)
    waiting[budgetOf(kind)] += waits + linesLeft * share
  }
  const realtime = view.backlog.realtime.total > 0
  const effective = perBudget((budget) => view.budgets[budget]?.effective ?? 0)
  const used = perBudget((budget) => view.budgets[budget]?.used ?? 0)
  const isEmpty = BUDGETS.every((budget) => waiting[budget] === 0)
  const windowMs = view.budget_window_seconds * 1000
  if (isEmpty) return 0
  const allowed = drainSeconds({ waiting, effective, used, windowMs, realtime })
  const total = BUDGETS.reduce((sum, budget) => sum + waiting[budget], 0)
  return perSecond === null ? allowed : Math.max(allowed, total / perSecond)
}

/** The workspace at one moment. */
export interface Look {
  readonly atMs: number
  /** Lines that the import had sent then. */
  readonly sent: number
  /** Pending elements at that time. */
  readonly waiting: number
  /** Length of the budget window. */
  readonly windowMs: number
}

/** The rate covers this time, or a budget window. */
const RATE_MS = 60_000
/** A rate over less than this is unreliable. */
const RATE_FROM_MS = 30_000

/**
 * MoEngage's recent delivery rate, as seen by an import: lines sent less pending elements. Known only
 * while elements are pending all the time; otherwise the import is the bottleneck.
 */
export class DeliveryRate {
  readonly #samples = new Recent<{ readonly nowMs: number; readonly delivered: number }>()
  #leastMs = RATE_FROM_MS

  add({ atMs, sent, waiting, windowMs }: Look): void {
    if (waiting === 0) {
      this.#samples.clear()
      return
    }
    this.#samples.add({ nowMs: atMs, delivered: sent - waiting }, Math.max(RATE_MS, windowMs))
    this.#leastMs = Math.max(RATE_FROM_MS, windowMs)
  }

  /** null if it is not known yet. */
  get perSecond(): number | null {
    const rate = this.#samples.perSecond(({ delivered }) => delivered, this.#leastMs)
    return rate !== null && rate > 0 ? rate : null
  }
}
