import { workspaceKeys } from '../queue/keys.js'
import type { RedisClient } from '../redis/connect.js'
import { luaText, replyList, replyText, runScript, type Script } from '../redis/script.js'

/** Customers of a workspace that wait for MoEngage's per-customer policy now. */
export interface HeldCustomers {
  /** Up to 1,000. */
  readonly count: number
  /** Some of them, those held longest first. */
  readonly longest: readonly HeldCustomer[]
}

/** Moments are of Redis' clock. */
export interface HeldCustomer {
  /** Hash of its identity, hex. */
  readonly customer: string
  readonly sinceMs: number
  readonly untilMs: number
}

/** Customers shown by name. */
const SHOWN = 10

/** Rejects when Redis does not answer. */
export async function readHeldCustomers(
  client: RedisClient,
  prefix: string,
  appId: string,
  text = TEXT,
): Promise<HeldCustomers> {
  const { customersHeld, customersHeldTimes } = workspaceKeys(prefix, appId)
  const script: Script = { name: 'customers-held', text, keys: 2 }
  const keys = [customersHeld, customersHeldTimes]
  const [count, ...rest] = replyList(await runScript(client, script, keys, [SHOWN]))
  const longest: HeldCustomer[] = []
  for (let i = 0; i + 2 < rest.length; i += 3) {
    const [sinceMs, untilMs] = [Number(rest[i + 1]), Number(rest[i + 2])]
    longest.push({ customer: replyText(rest[i]), sinceMs, untilMs })
  }
  return { count: Number(count), longest }
}

const TEXT = luaText('customers-held.lua')
