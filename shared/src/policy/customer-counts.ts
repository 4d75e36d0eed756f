import { LedgerTime } from '../budget/ledger-time.js'
import type { Clock } from '../clock.js'
import type { CustomerLimit } from '../config/customer-limits.js'
import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import {
  luaText,
  replyList,
  replyText,
  runScript,
  script,
  type Reply,
  type Script,
  type ScriptArgument,
} from '../redis/script.js'

const HELD = script('customers-held', 3)
/** A worker asks again for a held customer after this at the latest, if nothing else stops it, ms. */
export const ASKED_AGAIN_MS = 60_000
/** Nothing waits of a held customer for which no worker has asked for longer, ms. */
const SHOWN_MS = 2 * ASKED_AGAIN_MS
/** A sketch is kept this much longer than the longest window, ms. */
const SKETCH_KEPT_MS = 3_600_000

/** Units of a customer in one attempt. */
export interface CustomerUnits {
  /** `customerKey` of identity.ts. */
  readonly customer: string
  readonly units: number
  /** They are one element, which cannot be divided. */
  readonly single: boolean
}

export interface RefusedCustomer {
  readonly customer: string
  /** Units that would fit now. */
  readonly freeUnits: number
  readonly waitMs: number
}

export type Counted =
  /** `untilMs`: the moment to which they are reserved, of the ledger's clock. */
  | { readonly outcome: 'granted'; readonly untilMs: number }
  /** Nothing was entered. */
  | { readonly outcome: 'refused'; readonly refused: readonly RefusedCustomer[] }

export interface CustomerCountsOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly appId: string
  /** Latest arrival of an attempt without an answer, ms after its reservation. */
  readonly openMs: number
  readonly clock: Clock
  /** The text of a script; tests set its clock. */
  readonly lua?: (file: string) => string
}

/** The exact counts of a workspace's busiest customers in Redis; see lua/customer-policy.lua. */
export class CustomerCounts {
  readonly #options: CustomerCountsOptions
  readonly #keys: ReturnType<typeof workspaceKeys>
  readonly #time: LedgerTime
  readonly #announce: Script
  readonly #policy: Script

  constructor(options: CustomerCountsOptions) {
    this.#options = options
    this.#keys = workspaceKeys(options.prefix, options.appId)
    this.#time = new LedgerTime(options.clock)
    const { lua = luaText } = options
    const timed = (name: string, keys: number) =>
      script(name, keys, lua('ledger-clock.lua') + lua(`${name}.lua`))
    this.#announce = timed('announce-sketch', 2)
    this.#policy = timed('customer-policy', 4)
  }

  /** Announces a sketch that lets up to `unseenUnits` of each customer pass, for `forMs` from now. */
  async announce(
    sketch: { readonly id: string; readonly unseenUnits: number },
    forMs: number,
    longestWindowMs: number,
  ): Promise<void> {
    const { customerSketches, ledger } = this.#keys
    const member = `${sketch.unseenUnits}:${sketch.id}`
    const args = [member, forMs, longestWindowMs + SKETCH_KEPT_MS, this.#time.expectedMs()]
    const keys = [customerSketches, ledger]
    this.#time.observe(Number(await runScript(this.#options.client, this.#announce, keys, args)))
  }

  async reserve(
    limits: readonly CustomerLimit[],
    customers: readonly CustomerUnits[],
  ): Promise<Counted> {
    const details = customers.map(({ single }) => (single ? 1 : 0))
    const reply = replyList(await this.#run('reserve', limits, customers, details))
    if (replyText(reply[0]) === 'granted') return { outcome: 'granted', untilMs: Number(reply[2]) }
    const refused: RefusedCustomer[] = []
    for (let i = 2; i + 2 < reply.length; i += 3) {
      const customer = customers[Number(reply[i]) - 1]?.customer ?? ''
      refused.push({ customer, freeUnits: Number(reply[i + 1]), waitMs: Number(reply[i + 2]) })
    }
    return { outcome: 'refused', refused }
  }

  /** `answer`: they arrived before now; `refund`: they certainly never left. */
  async settle(
    how: 'answer' | 'refund',
    limits: readonly CustomerLimit[],
    customers: readonly CustomerUnits[],
    untilMs: number,
  ): Promise<void> {
    await this.#run(
      how,
      limits,
      customers,
      customers.map(() => untilMs),
    )
  }

  /** Re-registers units that Redis may have lost, regardless of the limits. */
  async again(
    limits: readonly CustomerLimit[],
    customers: readonly CustomerUnits[],
  ): Promise<void> {
    await this.#run(
      'again',
      limits,
      customers,
      customers.map(() => 0),
    )
  }

  async #run(
    how: string,
    limits: readonly CustomerLimit[],
    customers: readonly CustomerUnits[],
    details: readonly number[],
  ): Promise<Reply> {
    const { customerSketches, customersHeld, customersHeldTimes, customerCounts, ledger } = this.#keys // prettier-ignore
    const args: ScriptArgument[] = [how, this.#options.openMs, customerCounts('')]
    args.push(SHOWN_MS, this.#time.expectedMs(), limits.length)
    for (const { windowMs, units } of limits) args.push(windowMs, units)
    customers.forEach(({ customer, units }, i) => args.push(hex(customer), units, details[i] ?? 0))
    const keys = [customerSketches, customersHeld, customersHeldTimes, ledger]
    const reply = await runScript(this.#options.client, this.#policy, keys, args)
    this.#time.observe(Number(replyList(reply)[1]))
    return reply
  }
}

/** Customers of a workspace that wait for MoEngage's per-customer policy now. */
export interface HeldCustomers {
  /** Up to 1,000. */
  readonly count: number
  /** Some of them, those held longest first. */
  readonly longest: readonly HeldCustomer[]
}

/** Moments are of Redis' clock. */
interface HeldCustomer {
  /** Hash of its identity, hex. */
  readonly customer: string
  readonly sinceMs: number
  readonly untilMs: number
}

/** Customers shown by name. */
const SHOWN = 10

/** Rejects when Redis does not answer. `most`: customers in `longest`. */
export async function readHeldCustomers(
  client: RedisClient,
  prefix: string,
  appId: string,
  { most = SHOWN, lua }: { readonly most?: number; readonly lua?: typeof luaText } = {},
): Promise<HeldCustomers> {
  const { customersHeld, customersHeldTimes, ledger } = workspaceKeys(prefix, appId)
  const keys = [customersHeld, customersHeldTimes, ledger]
  const held = lua ? { ...HELD, text: lua('customers-held.lua') } : HELD
  const [count, ...rest] = replyList(await runScript(client, held, keys, [most]))
  const longest: HeldCustomer[] = []
  for (let i = 0; i + 2 < rest.length; i += 3) {
    const [sinceMs, untilMs] = [Number(rest[i + 1]), Number(rest[i + 2])]
    longest.push({ customer: replyText(rest[i]), sinceMs, untilMs })
  }
  return { count: Number(count), longest }
}

function hex(customer: string): string {
  return Buffer.from(customer, 'latin1').toString('hex')
}
