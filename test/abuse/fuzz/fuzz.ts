import { vendorFault } from '../../support/fuzz/vendor-schemas.js'
import { waitFor } from '@relay/tools/wait-for.js'
import fc from 'fast-check'
import { APP_ID, basicAuth, send, type Relay } from '../../support/relay.js'
import { generatedRequest, type GeneratedRequest } from './requests.js'

export interface FuzzOptions {
  readonly bodies: number
  readonly seed: number
  /** Longer than this for an answer is a hang, ms. */
  readonly hangMs: number
}

export interface FuzzResult {
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
  readonly slowestMs: number
  /** Elements that arrived at the simulator. */
  readonly delivered: number
  /** What must not be, each with what makes it again. */
  readonly faults: readonly string[]
}

const AT_ONCE = 8
const BATCH = 1_000
/** Enough to see what is wrong. */
const MAX_FAULTS = 20

/** Budgets and records that hold all that can be generated. */
/** Each element is judged as it was accepted: nothing is coalesced. */
export const FUZZ_ENV = {
  RELAY_COALESCE: 'off',
  MOENGAGE_USERS_PER_MINUTE: '10000000',
  MOENGAGE_EVENTS_PER_MINUTE: '10000000',
}
export const FUZZ_SIMULATOR = {
  usersPerWindow: 10_000_000,
  eventsPerWindow: 10_000_000,
  recordMaxElements: 1_000_000,
}

/** Posts generated bodies to a live relay, and judges every answer and all that is delivered. */
export async function fuzz(
  relay: Relay,
  { bodies, seed, hangMs }: FuzzOptions,
): Promise<FuzzResult> {
  const run = new FuzzRun(relay, seed, hangMs)
  for (let from = 0; from < bodies && run.faults.length < MAX_FAULTS; from += BATCH) {
    const numRuns = Math.min(BATCH, bodies - from)
    const requests = fc.sample(generatedRequest, { numRuns, seed: seed + from })
    const next = requests.entries()
    const sender = async () => {
      for (const [i, request] of next) await run.post(request, from + i)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sender))
  }
  await run.judgeDelivery()
  return run
}

class FuzzRun implements FuzzResult {
  readonly statuses = new Map<number, number>()
  readonly faults: string[] = []
  slowestMs = 0
  delivered = 0
  readonly #relay: Relay
  readonly #seed: number
  readonly #hangMs: number

  constructor(relay: Relay, seed: number, hangMs: number) {
    this.#relay = relay
    this.#seed = seed
    this.#hangMs = hangMs
  }

  async post({ endpoint, body, headers }: GeneratedRequest, number: number): Promise<void> {
    const url = `${this.#relay.apiUrl}/v1/${endpoint}/${APP_ID}`
    const all = { ...basicAuth(), 'Content-Type': 'application/json', ...headers }
    const startedMs = performance.now()
    const answer = await send(url, 'POST', body, all).catch((error: unknown) => String(error))
    const tookMs = performance.now() - startedMs
    this.slowestMs = Math.max(this.slowestMs, tookMs)
    const status = typeof answer === 'string' ? 0 : answer.status
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    const what = `seed ${this.#seed}, body ${number}, ${endpoint} ${JSON.stringify(headers)} ${body.toString('base64')}`
    if (typeof answer === 'string') this.faults.push(`no answer (${answer}): ${what}`)
    if (status >= 500) this.faults.push(`answered ${status}: ${what}`)
    if (tookMs > this.#hangMs) this.faults.push(`took ${tookMs.toFixed(0)} ms: ${what}`)
  }

  /** Waits until nothing waits, and holds what arrived to the vendor's schemas. */
  async judgeDelivery(): Promise<void> {
    await waitFor(async () => (await this.#view()).waiting === 0, {
      what: 'the queues to be empty',
      timeoutMs: 120_000,
      everyMs: 200,
    })
    const { record } = this.#relay.simulator
    this.delivered = record.totals.elements
    for (const { raw } of record.elements.after(0, Infinity)) {
      const fault = vendorFault(JSON.parse(raw.toString()) as { type: unknown })
      if (fault !== null) this.faults.push(`${fault}: ${raw.toString()}`)
    }
    const { dead } = await this.#view()
    if (dead > 0) {
      const { body } = await this.#relay.operate('GET', 'dead-letters?limit=10')
      this.faults.push(`${dead} dead letters: MoEngage refused what relay took: ${body}`)
    }
    const exit = this.#relay.api.exit()
    if (exit !== null) this.faults.push(`the api ended: ${JSON.stringify(exit)}`)
  }

  async #view(): Promise<{ waiting: number; dead: number }> {
    const { body } = await this.#relay.operate('GET', 'workspaces')
    const [view] = (JSON.parse(body) as { workspaces: WorkspaceFacts[] }).workspaces
    const waiting = Object.values(view?.backlog ?? {}).reduce((sum, { total }) => sum + total, 0)
    const dead = Object.values(view?.dead_letters ?? {}).reduce((sum, n) => sum + n, 0)
    return { waiting, dead }
  }
}

interface WorkspaceFacts {
  readonly backlog: Readonly<Record<string, { readonly total: number }>>
  readonly dead_letters: Readonly<Record<string, number>>
}
