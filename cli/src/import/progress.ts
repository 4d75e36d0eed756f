import { count, duration } from '../render/table.js'

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
const MIN_MS = 500

/** The recent rate of an import. */
export class Pace {
  readonly #samples = new Recent<Progress>()

  add(progress: Progress): void {
    this.#samples.add(progress, PACE_MS)
  }

  get linesPerSecond(): number | null {
    return this.#samples.perSecond(({ lines }) => lines, MIN_MS)
  }

  /** Until the file has been read to its end. */
  get etaSeconds(): number | null {
    const sharePerSecond = this.#samples.perSecond(({ share }) => share, MIN_MS)
    return sharePerSecond ? (1 - (this.#samples.last?.share ?? 0)) / sharePerSecond : null
  }
}

/** Samples of late, and the rates that follow from them. */
export class Recent<Sample extends { readonly nowMs: number }> {
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
    `[${bar}] ${String(Math.floor(share * 100))} %`,
    `${count(lines)} lines`,
    ...(linesPerSecond === null ? [] : [`${count(Math.round(linesPerSecond))}/s`]),
    etaSeconds === null ? 'ETA -' : `ETA ${duration(etaSeconds)}`,
    ...(deliverySeconds === null ? [] : [`at MoEngage in ${duration(deliverySeconds)}`]),
    ...(rejected > 0 ? [`${count(rejected)} refused`] : []),
  ].join('  ')
}
