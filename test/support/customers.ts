import { waitFor } from '@relay/tools/wait-for.js'
import { APP_ID, type Relay } from './relay.js'
import { numberedEvent, numbersOf } from './shop.js'

/**
 * Customers whose events are posted one after the other, each with its own key and again until
 * it is accepted, as good clients do.
 */
export class Customers {
  readonly accepted = new Map<string, number>()
  /** Of the apis that they post to in turn. */
  readonly apiUrls: string[]
  readonly #relay: Relay
  readonly #names: readonly string[]
  #stopped = false
  #posting: Promise<unknown> = Promise.resolve()

  constructor(relay: Relay, count: number) {
    this.#relay = relay
    this.apiUrls = [relay.apiUrl]
    this.#names = Array.from({ length: count }, (_, i) => `customer-${i}`)
  }

  start(): void {
    this.#posting = Promise.all(this.#names.map((name) => this.#postAll(name)))
  }

  /** Stops after the post in progress was accepted. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#posting
  }

  get total(): number {
    return [...this.accepted.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Until everything accepted has arrived at MoEngage. */
  async delivered(timeoutMs: number): Promise<void> {
    const isDelivered = () =>
      this.#names.every(
        (name) => new Set(this.#arrived(name)).size >= (this.accepted.get(name) ?? 0),
      )
    await waitFor(isDelivered, { what: 'everything accepted to be delivered', timeoutMs })
  }

  /** First deliveries of a customer, in the order of arrival; in order they are 0, 1, 2 … */
  firstDeliveries(name: string): readonly number[] {
    return [...new Set(this.#arrived(name))]
  }

  get names(): readonly string[] {
    return this.#names
  }

  #arrived(name: string): number[] {
    return this.#relay.simulator.record
      .ofCustomer(APP_ID, name)
      .flatMap(({ raw }) => numbersOf(raw.toString()))
  }

  async #postAll(name: string): Promise<void> {
    for (let n = 0; !this.#isStopped(); n += 1) {
      const headers = { 'Idempotency-Key': `${name}-${n}` }
      const post = async () => {
        const url = this.apiUrls[n % this.apiUrls.length]
        const answer = await this.#relay.postElements([numberedEvent(name, n)], headers, url)
        return answer.status === 200
      }
      const what = `post ${n} of ${name}`
      await waitFor(() => post().catch(() => false), { what, timeoutMs: 40_000, everyMs: 50 })
      this.accepted.set(name, n + 1)
    }
  }

  #isStopped(): boolean {
    return this.#stopped
  }
}
