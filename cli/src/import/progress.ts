import { count, duration } from '../render/table.js'

export interface Progress {
  /** Share of the file read, 0..1. */
  readonly share: number
  /** Share at which this run began. */
  readonly shareBefore: number
  readonly lines: number
  readonly linesBefore: number
  readonly rejected: number
  readonly elapsedMs: number
}

const BAR = 24

/** One line: bar, lines, rate, time to go. */
export function progressLine(progress: Progress): string {
  const { share, lines, linesBefore, rejected, elapsedMs } = progress
  const full = Math.round(Math.min(1, share) * BAR)
  const bar = `${'#'.repeat(full)}${'.'.repeat(BAR - full)}`
  const perSecond = elapsedMs > 0 ? ((lines - linesBefore) * 1000) / elapsedMs : 0
  const eta = etaSeconds(progress)
  return [
    `[${bar}] ${String(Math.floor(share * 100))} %`,
    `${count(lines)} lines`,
    `${count(Math.round(perSecond))}/s`,
    eta === null ? 'ETA -' : `ETA ${duration(eta)}`,
    ...(rejected > 0 ? [`${count(rejected)} refused`] : []),
  ].join('  ')
}

/** From the pace of this run; null while there is none. */
function etaSeconds({ share, shareBefore, elapsedMs }: Progress): number | null {
  const done = share - shareBefore
  return done > 0 && elapsedMs > 0 ? ((1 - share) * elapsedMs) / done / 1000 : null
}
