import { plot } from './plot.js'
import {
  decideScale,
  FIRST_SCALE,
  mostUseful,
  type BudgetLoad,
} from '@relay/shared/scaling/workers-wanted.js'

/** One moment of the simulated day. */
export interface DayPoint {
  readonly atMs: number
  /** Elements a second that arrive. */
  readonly arriving: number
  readonly waiting: number
  readonly workers: number
  readonly wanted: number
  readonly mostUseful: number
}

const STEP_MS = 5_000
const HOUR_MS = 3_600_000
const WINDOW_MS = 60_000
/** Twenty workspaces with the vendor's default limits, as one: 5,000 users and 20,000 events a minute. */
const LIMIT = 20 * 25_000
/** What a worker really does, elements a second; the estimate starts elsewhere. */
const WORKER_RATE = 1_800
/** An autoscaler follows after this. */
const FOLLOWS_AFTER_MS = 30_000
const OUTAGE = { fromMs: 14 * HOUR_MS, toMs: 14.75 * HOUR_MS }
const BACKFILL = { fromMs: 19 * HOUR_MS, elements: 6_000_000 }

/** Elements a second of a shop: quiet nights, peaks at noon and in the evening, noise all day. */
function arriving(atMs: number): number {
  const hour = atMs / HOUR_MS
  const peak = (at: number, width: number, high: number) =>
    high * Math.exp(-(((hour - at) / width) ** 2))
  const noise = 1 + 0.15 * Math.sin(atMs / 47_000) + 0.1 * Math.sin(atMs / 11_000)
  return (250 + peak(8.5, 1, 2_500) + peak(12.5, 1.2, 4_000) + peak(20, 2, 5_500)) * noise
}

/** A day of traffic against `decideScale`, with workers that come as late as they do in a cluster. */
export function simulateDay(): DayPoint[] {
  const points: DayPoint[] = []
  const sentPerStep: number[] = []
  let scale = FIRST_SCALE
  let waiting = 0
  let workers = 1
  for (let atMs = 0; atMs < 24 * HOUR_MS; atMs += STEP_MS) {
    const isOut = atMs >= OUTAGE.fromMs && atMs < OUTAGE.toMs
    waiting += (arriving(atMs) * STEP_MS) / 1000
    if (atMs === BACKFILL.fromMs) waiting += BACKFILL.elements
    const inWindow = sentPerStep.slice(-(WINDOW_MS / STEP_MS - 1)).reduce((sum, n) => sum + n, 0)
    const possible = Math.min(LIMIT - inWindow, (workers * WORKER_RATE * STEP_MS) / 1000)
    const sent = isOut ? 0 : Math.max(0, Math.min(waiting, possible))
    waiting = Math.round(waiting - sent)
    sentPerStep.push(sent)
    const used = inWindow + sent
    const budget: BudgetLoad = { waiting, used, limit: LIMIT, allowed: isOut ? 0 : LIMIT }
    const load = { windowMs: WINDOW_MS, workers, budgets: [budget] }
    scale = decideScale(scale, load, atMs)
    const before = points.at(-FOLLOWS_AFTER_MS / STEP_MS)
    workers = before?.wanted ?? 1
    points.push({
      ...{ atMs, waiting, workers, wanted: scale.wanted },
      arriving: arriving(atMs),
      mostUseful: mostUseful(load, scale.perWorker),
    })
  }
  return points
}

/** One point in so many is drawn: a minute. */
const DRAWN_EVERY = 12

/** The day as an SVG picture. */
export function plotDay(day: readonly DayPoint[]): string {
  const points = day.filter((_, i) => i % DRAWN_EVERY === 0)
  const hours = [0, 4, 8, 12, 16, 20, 24]
  const ticks = hours.map((hour) => ({ atMs: hour * HOUR_MS, label: `${hour}:00` }))
  return plot(points, ticks, [
    {
      title: 'Elements a second that arrive',
      lines: [{ label: 'arriving', colour: '#2563eb', value: (p) => p.arriving }],
    },
    {
      title: 'Elements that wait (outage 14:00 to 14:45, backfill of 6 million at 19:00)',
      lines: [{ label: 'waiting', colour: '#b45309', value: (p) => p.waiting }],
    },
    {
      title: 'Workers',
      lines: [
        { label: 'most the budgets can use', colour: '#9ca3af', value: (p) => p.mostUseful },
        { label: 'wanted', colour: '#15803d', value: (p) => p.wanted },
      ],
    },
  ])
}
