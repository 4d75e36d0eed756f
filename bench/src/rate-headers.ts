import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NO_COST } from '@relay/shared/budget/cost.js'
import { effectiveShare, shrink, type Adaptation } from '@relay/shared/gate/adaptation.js'
import { seededRandom } from '@relay/shared/seeded-random.js'
import { ROOT } from '@relay/tools/folders.js'
import { parseRateGauge, type RateLimitHeaders } from '@relay/worker/classify/rate-gauge.js'
import {
  gaugeShare,
  isBelieved,
  needsUse,
  NO_GAUGE,
  onReading,
  onRefusal,
  onUse,
  type VendorGauge,
} from '@relay/worker/adaptive/vendor-gauge.js'

/**
 * What relay makes of MoEngage's rate-limit headers, in virtual time: `npm run bench:headers`. Every form of
 * the headers, with other senders on the account, limits that step, and headers that lie. The parts that
 * decide are relay's own; the account, the senders and relay's ledger are modelled here.
 */
const WINDOW_MS = 60_000
const STEP_MS = 250
const STEPS = WINDOW_MS / STEP_MS
const MINUTES = 40
/** The first minutes teach what the headers count. */
const LEARNING = 3
const CONFIGURED = 20_000
/** Another sender's part of the configured limit. */
const FOREIGN = 0.15
const REQUEST = 400
const START_MS = 1_800_000_000_000

interface Honest {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
  readonly nowMs: number
}

type Form = (at: Honest) => RateLimitHeaders

const plain =
  (reset: (at: Honest) => number): Form =>
  (at) => ({
    limit: String(at.limit),
    remaining: String(at.remaining),
    reset: String(reset(at)),
  })
const envoy =
  (reset: (at: Honest) => number): Form =>
  (at) => ({ ...plain(reset)(at), limit: `${at.limit}, ${at.limit};w=60` })
const secondsLeft = ({ resetMs }: Honest) => Math.ceil(resetMs / 1000)
const epochSeconds = ({ nowMs, resetMs }: Honest) => Math.ceil((nowMs + resetMs) / 1000)
const epochMs = ({ nowMs, resetMs }: Honest) => nowMs + resetMs

const FORMS: Readonly<Record<string, Form>> = {
  'seconds left': plain(secondsLeft),
  'seconds left, Envoy': envoy(secondsLeft),
  'epoch seconds': plain(epochSeconds),
  'epoch seconds, Envoy': envoy(epochSeconds),
  'epoch milliseconds': plain(epochMs),
  'epoch milliseconds, Envoy': envoy(epochMs),
}

const NONE: Form = () => ({ limit: null, remaining: null, reset: null })
const LIES: Readonly<Record<string, Form>> = {
  'nothing is ever left': (at) => plain(secondsLeft)({ ...at, remaining: 0 }),
  'always the same is left': (at) => plain(secondsLeft)({ ...at, remaining: 9_000 }),
  'the limit is a tenth': (at) =>
    plain(secondsLeft)({ ...at, limit: 2_000, remaining: Math.min(2_000, at.remaining) }),
  'the reset never comes': plain(() => 59),
}

const LIMITS: Readonly<Record<string, (minute: number) => number>> = {
  steady: () => CONFIGURED,
  'steps down by a quarter and back': (minute) =>
    minute >= 15 && minute < 28 ? CONFIGURED * 0.75 : CONFIGURED,
}

interface Played {
  /** Share of what others left that relay used. */
  readonly used: number
  /** 429s in the worst ten minutes. */
  readonly refusals: number
}

function play(form: Form, senders: number, limitAt: (minute: number) => number): Played {
  const random = seededRandom(20261129)
  let gauge = NO_GAUGE
  let adaptation: Adaptation | null = null
  let pausedUntilMs = 0
  const sent: { readonly atMs: number; readonly units: number }[] = []
  const refusedMs: number[] = []
  let granted = 0
  let own = 0
  let foreign = 0
  let usedUnits = 0
  let leftUnits = 0
  for (let step = 0; step < MINUTES * STEPS; step += 1) {
    const nowMs = START_MS + step * STEP_MS
    const minute = Math.floor(step / STEPS)
    const limit = limitAt(minute)
    if (step % STEPS === 0) {
      own = 0
      foreign = 0
    }
    const wanted = ((senders * FOREIGN * CONFIGURED) / STEPS) * (0.5 + random.next())
    foreign += Math.min(Math.round(wanted), Math.max(0, limit - own - foreign))
    while ((sent[0]?.atMs ?? Infinity) <= nowMs - WINDOW_MS) sent.shift()
    const inLedger = sent.reduce((sum, { units }) => sum + units, 0)
    const at = { nowMs, windowMs: WINDOW_MS }
    const share = Math.min(effectiveShare(adaptation, at), gaugeShare(gauge, nowMs, WINDOW_MS))
    const units = Math.min(REQUEST, Math.floor(CONFIGURED * share) - inLedger)
    const resetMs = WINDOW_MS - (step % STEPS) * STEP_MS
    // A trickle is not worth a request; see bench row drain.
    if (units >= REQUEST / 8 && nowMs >= pausedUntilMs) {
      if (own + foreign + units > limit) {
        refusedMs.push(nowMs)
        const confirmed = onRefusal(gauge, nowMs, WINDOW_MS)
        gauge = confirmed ?? gauge
        const refusal = { sentAtMs: nowMs, nowMs, usedShare: inLedger / CONFIGURED, windowMs: WINDOW_MS } // prettier-ignore
        adaptation = confirmed === null ? shrink(adaptation, refusal) : adaptation
        const said = parseRateGauge(form({ limit, remaining: limit - own - foreign, resetMs, nowMs }), { nowMs, date: null }) // prettier-ignore
        pausedUntilMs = nowMs + ((isBelieved(gauge, nowMs) ? said?.resetMs : null) ?? 1_000)
      } else {
        own += units
        granted += units
        sent.push({ atMs: nowMs, units })
        const headers = form({ limit, remaining: limit - own - foreign, resetMs, nowMs })
        gauge = heard(gauge, headers, { nowMs, units, used: inLedger + units, granted })
      }
    }
    if (step % STEPS === STEPS - 1 && minute >= LEARNING) {
      usedUnits += own
      leftUnits += limit - foreign
    }
  }
  const late = refusedMs.filter((ms) => ms >= START_MS + LEARNING * WINDOW_MS)
  const inTen = late.map((ms) => late.filter((other) => other >= ms && other < ms + 600_000).length)
  return { used: usedUnits / leftUnits, refusals: Math.max(0, ...inTen) }
}

/** The gauge after an answer to `units` with these headers. */
function heard(
  gauge: VendorGauge,
  headers: RateLimitHeaders,
  now: {
    readonly nowMs: number
    readonly units: number
    readonly used: number
    readonly granted: number
  },
): VendorGauge {
  const { nowMs } = now
  const { limit = null, remaining = null, resetMs = null } = parseRateGauge(headers, { nowMs, date: null }) ?? {} // prettier-ignore
  if (limit === null || remaining === null || resetMs === null) return gauge
  const read = onReading(gauge, { nowMs, limit, remaining, resetMs, cost: eventsOf(now.units) })
  if (!needsUse(read)) return read
  const use = { used: eventsOf(now.used), granted: eventsOf(now.granted), open: NO_COST }
  const limits = { users: 5_000, events: CONFIGURED, devices: 0 }
  return onUse(read, { nowMs, windowMs: WINDOW_MS, use, limits })
}

const eventsOf = (events: number) => ({ ...NO_COST, events })

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

function table(forms: Readonly<Record<string, Form>>): string[] {
  const heads = Object.keys(LIMITS).flatMap((name) => [0, 1, 2].map((n) => `${name}, ${n} others`)) // prettier-ignore
  const rows = Object.entries(forms).map(([name, form]) => {
    const cells = Object.values(LIMITS).flatMap((limitAt) =>
      [0, 1, 2].map((senders) => {
        const { used, refusals } = play(form, senders, limitAt)
        return `${percent(used)}, ${refusals}`
      }),
    )
    return `| ${[name, ...cells].join(' | ')} |`
  })
  return [
    `| headers | ${heads.join(' | ')} |`,
    `| --- | ${heads.map(() => '---:').join(' | ')} |`,
    ...rows,
  ]
}

const page = [
  '# What relay makes of the rate-limit headers',
  '',
  `Made by \`npm run bench:headers\` in virtual time: ${MINUTES} minutes, of which the first ${LEARNING} do not count, at a`,
  `configured limit of ${CONFIGURED} events in a window of 60 s that resets. Each of the other senders takes ${percent(FOREIGN)} of`,
  'it. A cell has the part of what others left that relay used, and the 429s of the worst ten minutes. Wanted: at least 99 %, at',
  'most one 429.',
  '',
  '## Honest headers, by form',
  '',
  ...table(FORMS),
  '',
  '## No headers, and headers that lie',
  '',
  ...table({ 'no headers': NONE, ...LIES }),
  '',
].join('\n')

await writeFile(join(ROOT, 'docs/reports/rate-headers.md'), page)
process.stdout.write(page)
