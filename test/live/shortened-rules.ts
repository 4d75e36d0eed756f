import { parse, stringify } from 'yaml'

/** Seconds of the units that durations in rules are written in. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
/** A rate needs two scrapes, and a busy machine misses one now and then. */
const MIN_WINDOW_S = 5
/** The objective of delivery, as the histogram's bucket of the rules, and its stand-in. */
const IN_TIME = { really: 'le=~"60([.]0)?"', shortened: 'le=~"10([.]0)?"' }
/** How long the backlog may need and a customer be held, s: the only other time among the thresholds. */
const DRAIN_S = 7_200

/**
 * Rules with every time divided by `factor`, so that a drill takes minutes: windows, how long a
 * condition has to hold, the drain's threshold. The objective of 60 s becomes the 10 s that the
 * histogram has a bucket for. All else is as written.
 */
export function shortenRules(yaml: string, factor: number): string {
  const file = parse(yaml) as { groups: { rules: { expr: string; for?: string }[] }[] }
  const groups = file.groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => ({
      ...rule,
      expr: shortenExpression(rule.expr, factor),
      ...(rule.for === undefined ? {} : { for: shortened(rule.for, factor, 1) }),
    })),
  }))
  return stringify({ groups })
}

/** The same for one query of a dashboard or rule. */
export function shortenExpression(expr: string, factor: number): string {
  return expr
    .replaceAll(/\[(\d+[smhd])\]/g, (_, d: string) => `[${shortened(d, factor, MIN_WINDOW_S)}]`)
    .replaceAll(IN_TIME.really, IN_TIME.shortened)
    .replaceAll(`> ${DRAIN_S}`, `> ${DRAIN_S / factor}`)
}

function shortened(duration: string, factor: number, leastS: number): string {
  const unit = SECONDS[duration.slice(-1)]
  if (unit === undefined) throw new Error(`${duration} is no duration`)
  const seconds = Math.round((Number(duration.slice(0, -1)) * unit) / factor)
  return `${Math.max(leastS, seconds)}s`
}
