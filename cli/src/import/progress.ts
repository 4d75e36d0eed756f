import { count, duration } from '../render/table.js'

export interface Progress {
  /** Share of the file that was read, 0..1. */
  readonly share: number
  readonly lines: number
  readonly rejected: number
  readonly nowMs: number
}

const BAR = 24
/** The rate covers this time; older samples are dropped. */
const PACE_MS = 30_000
/** A rate over less than this is unreliable. */
const MIN_MS = 500

/** The recent rate of an import. */
export class Pace {
  #samples: Progress[] = []

  add(progress: Progress): void {
    this.#samples.push(progress)
    const fromMs = progress.nowMs - PACE_MS
    // One sample from before stays: the rate is measured from it.
    while ((this.#samples[1]?.nowMs ?? Infinity) <= fromMs) this.#samples.shift()
  }

  get linesPerSecond(): number | null {
    return this.#perSecond(({ lines }) => lines)
  }

  /** Until the file has been read to its end. */
  get etaSeconds(): number | null {
    const sharePerSecond = this.#perSecond(({ share }) => share)
    const share = this.#samples.at(-1)?.share ?? 0
    return sharePerSecond ? (1 - share) / sharePerSecond : null
  }

  #perSecond(of: (progress: Progress) => number): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined) return null
    const spanMs = last.nowMs - first.nowMs
    return spanMs < MIN_MS ? null : ((of(last) - of(first)) * 1000) / spanMs
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
    `[${bar}] ${String(Math.floor(share * 100))} %`,
    `${count(lines)} lines`,
    ...(linesPerSecond === null ? [] : [`${count(Math.round(linesPerSecond))}/s`]),
    etaSeconds === null ? 'ETA -' : `ETA ${duration(etaSeconds)}`,
    ...(deliverySeconds === null ? [] : [`at MoEngage in ${duration(deliverySeconds)}`]),
    ...(rejected > 0 ? [`${count(rejected)} refused`] : []),
  ].join('  ')
}
