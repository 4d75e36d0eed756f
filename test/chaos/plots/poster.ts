import { waitFor } from '@relay/tools/wait-for.js'
import type { Kind, Posted } from '../oracle/model.js'
import { elementOf, send } from '../producers/producer.js'
import type { Stage } from './plot.js'

const WITHIN_MS = 30_000
const PADDING = 'x'.repeat(100)

/** Posts by hand to the realtime lane, and waits for what becomes of it. */
export class Poster {
  readonly #stage: Stage

  constructor(stage: Stage) {
    this.#stage = stage
  }

  next(kind: Kind, customers: readonly string[]): Posted[] {
    return customers.map((customer) => this.#stage.journal.next(customer, kind, false))
  }

  /** One post of all of them to one api, without Idempotency-Key if null; its status, 0 for no answer. `padding`: of users. */
  async post(
    elements: readonly Posted[],
    api: number,
    key: string | null = null,
    padding = PADDING,
  ): Promise<number> {
    const { url } = this.#stage.stack.api(api)
    const body = JSON.stringify({
      type: 'transition',
      elements: elements.map((element) =>
        elementOf(element, element.kind === 'user' ? padding : PADDING),
      ),
    })
    const reply = await send({ url, lane: 'realtime', key, body })
    if (reply?.status === 200) this.#stage.journal.acknowledge(elements)
    return reply?.status ?? 0
  }

  /** Posts the customers' next elements; throws when they are not accepted. */
  async accepted(
    kind: Kind,
    customers: readonly string[],
    api: number,
    padding = PADDING,
  ): Promise<Posted[]> {
    return this.acceptedAll(this.next(kind, customers), api, padding)
  }

  /** Posts the customers' next elements, so many in a post; throws when they are not accepted. */
  async burst(kind: Kind, customers: readonly string[], perPost: number): Promise<void> {
    for (let at = 0; at < customers.length; at += perPost) {
      await this.accepted(kind, customers.slice(at, at + perPost), 0)
    }
  }

  /** Posts them with a key until they are accepted, as a producer does that heard nothing. */
  async untilAccepted(elements: readonly Posted[], api: number, key: string): Promise<void> {
    const isAccepted = async () => (await this.post(elements, api, key)) === 200
    await waitFor(isAccepted, { what: `${key} to be accepted`, timeoutMs: WITHIN_MS, everyMs: 50 })
  }

  /** Posts these elements; throws when they are not accepted. */
  async acceptedAll(elements: Posted[], api: number, padding = PADDING): Promise<Posted[]> {
    const status = await this.post(elements, api, null, padding)
    if (status !== 200) throw new Error(`a post was answered ${status}`)
    return elements
  }

  /** Until MoEngage has all of them. */
  async delivered(elements: readonly Posted[]): Promise<void> {
    const { vendor } = this.#stage.stack
    const arrived = async (): Promise<boolean> => {
      await vendor.readArrivals()
      return elements.every(({ customer, seq }) =>
        vendor.arrived.some((a) => a.customer === customer && a.seq === seq),
      )
    }
    await waitFor(arrived, { what: 'a delivery', timeoutMs: WITHIN_MS })
  }

  /** Until MoEngage took so many elements, those it took again included. */
  async arrivals(count: number): Promise<void> {
    const { vendor } = this.#stage.stack
    const arrived = async (): Promise<boolean> => {
      await vendor.readArrivals()
      return vendor.arrived.length >= count
    }
    await waitFor(arrived, { what: `${count} arrivals`, timeoutMs: WITHIN_MS })
  }

  /** Until MoEngage has a request that it has not answered. */
  async requestOpen(): Promise<void> {
    const { vendor } = this.#stage.stack
    const isOpen = async () => (await vendor.requests()).some(({ fate }) => fate === 'open')
    await waitFor(isOpen, { what: 'an open request', timeoutMs: WITHIN_MS })
  }

  /** Until nothing waits in any partition. */
  async settled(): Promise<void> {
    const { remains } = this.#stage
    const isEmpty = async () => (await remains.waiting()) === 0
    await waitFor(isEmpty, { what: 'nothing to wait', timeoutMs: WITHIN_MS })
  }
}
