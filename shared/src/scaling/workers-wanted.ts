/** Load of one budget of one workspace. */
export interface BudgetLoad {
  /** Elements that wait. */
  readonly waiting: number
  /** Units that count in the current window. */
  readonly used: number
  /** Units that one window allows as configured. */
  readonly limit: number
  /** Units that one window allows now: less while MoEngage throttles, 0 while held or paused. */
  readonly allowed: number
}

export interface Load {
  readonly windowMs: number
  /** Workers that are alive. */
  readonly workers: number
  readonly budgets: readonly BudgetLoad[]
}

/** The previous decision; plain JSON, shared by all processes. */
export interface Scale {
  readonly wanted: number
  /** Units a second that one worker is known to send. */
  readonly perWorker: number
  /** Since when fewer would do, ms since 1970; null: they would not. */
  readonly fewerSinceMs: number | null
  /** Maximum needed since then. */
  readonly fewerMost: number
  /** Since when the same workers were all that work waited for, ms since 1970; null: they are not. */
  readonly shortSinceMs: number | null
  /** Workers that were alive then. */
  readonly workers: number
  readonly decidedAtMs: number
}

/** Units a second of one worker until something was observed; measured with 300 B elements, 50 ms answers. */
const FIRST_PER_WORKER = 1_500
/** However slow or fast a worker was seen, nothing outside this is believed, units a second. */
const MIN_PER_WORKER = 50
const MAX_PER_WORKER = 20_000
/** Weight of a new observation of busy workers. */
const LEARN = 0.1
/** A backlog is to be gone within this, budget permitting, ms. */
const DRAIN_WITHIN_MS = 60_000
/** Time without need of more workers before the number decreases, ms. */
const CALM_MS = 300_000
/** Excess over the current capacity before another worker is added, as a share. */
const TOLERANCE = 0.1
/** Budget of which less than this is in use idles. */
const IDLE_BELOW = 0.9

export const FIRST_SCALE: Scale = {
  wanted: 1,
  perWorker: FIRST_PER_WORKER,
  fewerSinceMs: null,
  fewerMost: 1,
  shortSinceMs: null,
  workers: 0,
  decidedAtMs: 0,
}

/**
 * The desired number of workers: enough for the arriving load and to drain the backlog within a minute,
 * at most as many as the budgets can feed, at least one. It increases immediately and decreases only
 * after five calm minutes, so that neither a burst nor a gap makes it flap.
 */
export function decideScale(before: Scale, load: Load, nowMs: number): Scale {
  const shortSinceMs = shortSince(before, load, nowMs)
  const isShort = shortSinceMs !== null && nowMs - shortSinceMs >= load.windowMs
  const perWorker = learn(before.perWorker, load, isShort)
  const ceiling = mostUseful(load, perWorker)
  const needed = Math.min(workersFor(requiredRate(load), perWorker, before.wanted), ceiling)
  const base = { perWorker, shortSinceMs, workers: load.workers, decidedAtMs: nowMs }
  if (before.wanted > ceiling) {
    return { ...base, wanted: ceiling, fewerSinceMs: null, fewerMost: ceiling }
  }
  if (needed >= before.wanted) {
    return { ...base, wanted: needed, fewerSinceMs: null, fewerMost: needed }
  }
  const isNew = before.fewerSinceMs === null
  const fewerSinceMs = before.fewerSinceMs ?? nowMs
  const fewerMost = isNew ? needed : Math.max(before.fewerMost, needed)
  if (nowMs - fewerSinceMs < CALM_MS) {
    return { ...base, wanted: before.wanted, fewerSinceMs, fewerMost }
  }
  return { ...base, wanted: fewerMost, fewerSinceMs: null, fewerMost }
}

/** Maximum workers that the configured budgets can keep busy, at least one. */
export function mostUseful({ budgets, windowMs }: Load, perWorker: number): number {
  const rate = budgets.reduce((sum, { limit }) => sum + limit, 0) / (windowMs / 1000)
  return Math.max(1, Math.ceil(rate / perWorker))
}

function requiredRate({ budgets, windowMs }: Load): number {
  return budgets.reduce((sum, { waiting, used, allowed }) => {
    const wished = used / (windowMs / 1000) + waiting / (DRAIN_WITHIN_MS / 1000)
    return sum + Math.min(wished, allowed / (windowMs / 1000))
  }, 0)
}

function workersFor(rate: number, perWorker: number, now: number): number {
  if (rate <= now * perWorker * (1 + TOLERANCE) && rate > (now - 1) * perWorker) return now
  return Math.max(1, Math.ceil(rate / perWorker))
}

/** The window shows the workers' rate only after a whole window in which they were the bottleneck. */
function shortSince(before: Scale, { budgets, workers }: Load, nowMs: number): number | null {
  const isShort = budgets.some(
    ({ waiting, used, allowed }) => allowed > 0 && waiting > allowed && used < allowed * IDLE_BELOW,
  )
  if (!isShort) return null
  return before.workers === workers ? (before.shortSinceMs ?? nowMs) : nowMs
}

/** A worker has shown its rate when it sent more than believed, or when work waited on workers alone. */
function learn(known: number, { budgets, windowMs, workers }: Load, isShort: boolean): number {
  if (workers < 1) return known
  const each = budgets.reduce((sum, { used }) => sum + used, 0) / (windowMs / 1000) / workers
  if (each <= known && !isShort) return known
  const learnt = each > known ? each : known + (each - known) * LEARN
  return Math.min(MAX_PER_WORKER, Math.max(MIN_PER_WORKER, learnt))
}
