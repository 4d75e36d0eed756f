import type { Change, Variant } from '../../support/variant.js'

/**
 * Deliberately broken variants of relay: each takes one mechanism out of a copy of what was built,
 * so that the suite can show that it would notice. Nothing of this is in relay itself.
 */
export interface Mutant extends Variant {
  /** What is broken, as the record says it. */
  readonly breaks: string
  /** The run that shows it. */
  readonly aim: Aim
}

/** A plot by name, or a draw of these faults. */
export type Aim =
  | { readonly plot: string }
  | {
      readonly seed: number
      readonly seconds: number
      readonly rate: number
      readonly faults: readonly string[]
    }

const SETTLE = 'shared/lua/settle.lua'
const ADD = 'shared/lua/add-chunk.lua'
const FLIGHT = 'services/worker/dist/flight.js'
const FETCHER = 'services/worker/dist/fetch/fetcher.js'
const POST_STORE = 'services/api/dist/enqueue/redis-post-store.js'
const IN_FLIGHT = 'services/worker/dist/ownership/in-flight.js'
const PEERS = 'services/worker/dist/ownership/peers.js'
const RECOVER = 'shared/lua/recover-ledger.lua'

const change = (file: string, search: string, replace: string): Change => ({
  file,
  search,
  replace,
})

const NO_LATE_ARRIVALS = change(
  IN_FLIGHT,
  'const untilMs = this.#clock.monotonicMs() + this.#graceMs;',
  'const untilMs = -Infinity;',
)
const NO_DISTRUST = change(PEERS, 'distrust() {', 'distrust() { return;')
const NO_RECOVERY: readonly Change[] = [
  change(RECOVER, 'for i = lastEnded + 1, #ARGV, 3 do', 'for i = 1, 0 do'),
  change(RECOVER, 'if missing and left > 0 then', 'if false then'),
]

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'settle-fence',
    aim: { plot: 'late-settle' },
    breaks: 'a settle is accepted from any sender',
    changes: [change(SETTLE, 'if owner ~= ARGV[1] then', 'if false then')],
  },
  {
    name: 'lease-deadline',
    aim: { plot: 'outlived-lease' },
    breaks:
      'an attempt continues after the lease: no check before its last byte, no deadline by it',
    changes: [
      change(FLIGHT, 'mayFinish: holds', 'mayFinish: () => true'),
      change(FLIGHT, '(holds() ? this', '(true ? this'),
      change(FLIGHT, 'Math.min(deadlineMs, clock.monotonicMs() + sendableMs())', 'deadlineMs'),
    ],
  },
  {
    name: 'takeover',
    aim: { seed: 703, seconds: 6, rate: 300, faults: ['worker-roll', 'api-roll'] },
    breaks: 'a partition is claimed although its owner lives',
    changes: [
      change(PEERS, 'mayAct(session, seenAtMs) {', 'mayAct(session, seenAtMs) { return false;'),
    ],
  },
  {
    name: 'claim',
    aim: { seed: 708, seconds: 8, rate: 300, faults: ['worker-roll', 'worker-scale'] },
    breaks: 'a claim succeeds although another came first',
    changes: [change('shared/lua/claim.lua', 'if owner ~= ARGV[1] or time', 'if time')],
  },
  {
    name: 'partly-sent',
    aim: { plot: 'half-a-chunk' },
    breaks: 'the sent elements of a chunk are not recorded',
    changes: [
      change(SETTLE, "'done', ARGV[i + 1], 'counts', ARGV[i + 2]", "'counts', ARGV[i + 2]"),
    ],
  },
  {
    name: 'one-in-flight',
    aim: { seed: 702, seconds: 6, rate: 300, faults: ['vendor-hang', 'api-kill'] },
    breaks: 'a partition counts as free while a request with its elements is in progress',
    changes: [change(IN_FLIGHT, 'freeInMs(tag) {', 'freeInMs(tag) { return 0;')],
  },
  {
    name: 'generations',
    aim: { plot: 'full-change' },
    breaks: 'the new partitions are served before the old ones are empty',
    changes: [change(FETCHER, 'this.#options.mayServe(window)', 'true')],
  },
  {
    name: 'open-time',
    aim: { plot: 'slow-first' },
    breaks: 'a cost counts for one window from its reservation, however late the answer comes',
    changes: [
      change(
        'shared/lua/reserve.lua',
        'now + tonumber(ARGV[10]) + window, ARGV[1])',
        'now + window, ARGV[1])',
      ),
      change(
        'shared/lua/answer.lua',
        "redis.call('ZADD', KEYS[2], 'XX', now + 3 + tonumber(ARGV[2]), ARGV[1])",
        '',
      ),
    ],
  },
  {
    name: 'refund',
    aim: { plot: 'lost-answers' },
    breaks: 'a cost is taken back although the attempt may have arrived',
    changes: [
      change(
        FLIGHT,
        "else if (answer.kind === 'not_sent' && NEVER_LEFT.has(answer.why))",
        'else if (true)',
      ),
    ],
  },
  {
    name: 'idempotency',
    aim: { plot: 'lost-reply' },
    breaks: 'the digest of a post is not written with its chunk',
    changes: [change(ADD, "redis.call('HSET', today, string.sub(ARGV[i], 1, 12), usedAt(i))", '')],
  },
  {
    name: 'add-deadline',
    aim: { plot: 'late-add' },
    breaks: 'an add is executed however late Redis gets to it',
    changes: [change(ADD, 'if now > tonumber(ARGV[2]) then', 'if false then')],
  },
  {
    name: 'mark',
    aim: { plot: 'nobody-there' },
    breaks: 'a partition is not put into the active set before an add, nor found later',
    changes: [
      change(POST_STORE, 'await deployment.mark([queue.tag]).catch(notStored);', ''),
      change(
        'services/worker/dist/ownership/reconciler.js',
        'if (missing.length === 0)',
        'if (true)',
      ),
    ],
  },
  {
    name: 'late-arrivals',
    aim: { plot: 'late-arrival' },
    breaks: 'the next request does not wait for the grace of one without an answer',
    changes: [NO_LATE_ARRIVALS],
  },
  {
    name: 'recovery',
    aim: { plot: 'forgotten-window' },
    breaks: 'the ledger of a new run of Redis opens at once, and no worker enters what it sent',
    changes: NO_RECOVERY,
  },
  {
    name: 'distrust',
    aim: { plot: 'forgotten-claim' },
    // Alone it breaks nothing: while the budgets recover, nothing is sent for longer than a lease.
    breaks:
      'after a restart of Redis a partition without an owner is claimed at once, and budgets open at once',
    changes: [NO_DISTRUST, ...NO_RECOVERY],
  },
  {
    name: 'three-together',
    aim: { plot: 'forgotten-claim' },
    breaks: 'late-arrivals, distrust and recovery at once',
    changes: [NO_LATE_ARRIVALS, NO_DISTRUST, ...NO_RECOVERY],
  },
  {
    name: 'settle-order',
    aim: { plot: 'settle-arrives-late' },
    breaks: 'a settle that comes late takes back a newer one',
    changes: [change(SETTLE, "job[1] and adds(job[2] or '', ARGV[i + 1]) and job[1]", 'job[1]')],
  },
  {
    name: 'one-chunk',
    aim: { plot: 'one-key-twice' },
    breaks: 'two tries of one keyed post may share a chunk',
    changes: [
      change(
        'services/api/dist/enqueue/partition-writer.js',
        'key !== null && keyed.has(key)',
        'false',
      ),
    ],
  },
  {
    name: 'midnight',
    aim: { plot: 'key-across-midnight' },
    breaks: 'a digest is not looked for in the day after',
    changes: [change(ADD, ' or isSeen(tomorrow, i)', '')],
  },
  {
    name: 'rejoin',
    aim: { plot: 'resume-two-workers' },
    breaks: 'a worker does not join a new run of Redis under a new session',
    changes: [change('services/worker/dist/worker.js', 'void this.#session.rejoin();', '')],
  },
  {
    name: 'landing',
    aim: { plot: 'workspace-returns' },
    breaks: 'a request that lands wakes the service that began it, not the one that is there now',
    changes: [
      change(
        'services/worker/dist/worker.js',
        'this.#services.get(window.partition.appId)?.wake();',
        '',
      ),
    ],
  },
  {
    name: 'forget-early',
    aim: { plot: 'forget-frozen' },
    breaks: 'an erasure is done although a worker may still send what it has read',
    changes: [change('services/api/dist/admin/eraser.js', '&& !confirmed.has(w)', '&& false')],
  },
  {
    name: 'blame',
    aim: { plot: 'everything-refused' },
    breaks: 'an element is buried for a refusal that anything may have been refused for',
    changes: [
      change(
        'services/worker/dist/retry/judge.js',
        'if (this.#refusals.isProven(item))',
        'if (true)',
      ),
    ],
  },
]
