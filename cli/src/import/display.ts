import type { Clock } from '@relay/shared/clock.js'
import type { WorkspaceView } from '../render/status.js'
import type { Terminal } from '../terminal.js'
import { DeliveryRate } from './delivery-rate.js'
import { deliverySeconds } from './forecast.js'
import { Pace, progressLine, type Progress } from './progress.js'

export interface DisplayOptions {
  readonly terminal: Terminal
  readonly clock: Clock
  /** The workspace as relay sees it; null: there is no access to that. */
  readonly view: () => Promise<WorkspaceView | null>
  /** A person watches: one line that changes. Else a line now and then. */
  readonly isLive: boolean
  readonly isQuiet: boolean
}

/** Where nobody watches, a line each, ms. */
const NOTE_EVERY_MS = 10_000
/** How often the budgets are asked for, ms. */
const VIEW_EVERY_MS = 5_000

/** Shows how an import goes on. */
export class Display {
  readonly #o: DisplayOptions
  readonly #pace = new Pace()
  readonly #rate = new DeliveryRate()
  #shownAtMs = -Infinity
  #viewAtMs = -Infinity
  /** The workspace as last seen, and the lines that were sent when it was asked for. */
  #seen: { readonly view: WorkspaceView; readonly lines: number } | null = null
  #waitsFor = ''

  constructor(options: DisplayOptions) {
    this.#o = options
  }

  show(progress: Progress): void {
    const { isLive, isQuiet, terminal } = this.#o
    if (isQuiet) return
    this.#waitsFor = ''
    this.#pace.add(progress)
    this.#look(progress.lines)
    const nowMs = this.#o.clock.monotonicMs()
    if (!isLive && nowMs - this.#shownAtMs < NOTE_EVERY_MS) return
    this.#shownAtMs = nowMs
    const line = progressLine(progress, this.#pace, this.#deliverySeconds(progress))
    if (isLive) terminal.redraw(line)
    else terminal.note(line)
  }

  /** Elements a second that MoEngage has been taking; null: not known. */
  get deliveredPerSecond(): number | null {
    return this.#rate.perSecond
  }

  waits(why: string): void {
    if (this.#o.isQuiet || why === this.#waitsFor) return
    this.#waitsFor = why
    this.#o.terminal.note(`${this.#o.isLive ? '\n' : ''}Waiting: ${why}`)
  }

  #deliverySeconds({ share, lines }: Progress): number | null {
    if (this.#seen === null || share === 0) return null
    // What was sent since is not in what waits there.
    const linesLeft = lines / share - this.#seen.lines
    return deliverySeconds(this.#seen.view, linesLeft, this.#rate.perSecond)
  }

  /** Without waiting for the answer: the import goes on meanwhile. */
  #look(lines: number): void {
    const nowMs = this.#o.clock.monotonicMs()
    if (nowMs - this.#viewAtMs < VIEW_EVERY_MS) return
    this.#viewAtMs = nowMs
    void this.#o.view().then((view) => {
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
