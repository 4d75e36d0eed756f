import type { Clock } from '@relay/shared/clock.js'
import type { WorkspaceView } from '../render/status.js'
import type { Terminal } from '../terminal.js'
import { DeliveryRate, deliverySeconds } from './forecast.js'
import { Pace, progressLine, type Progress } from './progress.js'

export interface DisplayOptions {
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
