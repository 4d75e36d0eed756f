/** A request while it is open: from its first byte until it was answered or its connection closed. */
export interface OpenRequest {
  readonly requestId: string
  readonly startedAtMs: number
  endedAtMs: number | null
  /** `appId/customer`; set once the body was read. */
  customers: ReadonlySet<string>
}

/** Finds requests that were open at the same time and carry the same customer. Exact, bounded. */
export class OverlapWatch {
  /** Most requests of one customer that overlapped one of them, itself included; 1: none ever did. */
  maxOverlap = 0
  /** Pairs (customer, request) that began while another request of the customer was open. */
  overlaps = 0
  /** Maximum number of concurrent requests, for any customers. */
  maxOpen = 0
  /** In order of their start, so that the first is the oldest. */
  readonly #open = new Set<OpenRequest>()
  readonly #byCustomer = new Map<string, OpenRequest[]>()
  #ended: OpenRequest[] = []

  get open(): number {
    return this.#open.size
  }

  begin(requestId: string, startedAtMs: number): OpenRequest {
    const request: OpenRequest = { requestId, startedAtMs, endedAtMs: null, customers: new Set() }
    this.#open.add(request)
    this.maxOpen = Math.max(this.maxOpen, this.#open.size)
    return request
  }

  /** Sets the customers of a request once its body is known. */
  carries(request: OpenRequest, appId: string, names: ReadonlySet<string>): void {
    const customers = new Set([...names].map((name) => `${appId}/${name}`))
    request.customers = customers
    for (const customer of customers) {
      const others = this.#byCustomer.get(customer) ?? []
      const during = others.filter((o) => o.endedAtMs === null || o.endedAtMs > request.startedAtMs)
      if (during.length > 0) this.overlaps += 1
      this.maxOverlap = Math.max(this.maxOverlap, during.length + 1)
      others.push(request)
      this.#byCustomer.set(customer, others)
    }
  }

  end(request: OpenRequest, endedAtMs: number): void {
    if (request.endedAtMs !== null) return
    request.endedAtMs = endedAtMs
    this.#open.delete(request)
    this.#ended.push(request)
    this.#forget()
  }

  /** Drops ended requests that no open one, nor a later one, can overlap. */
  #forget(): void {
    const [oldest] = this.#open
    const horizonMs = oldest?.startedAtMs ?? Infinity
    const gone = this.#ended.filter((r) => (r.endedAtMs ?? Infinity) <= horizonMs)
    if (gone.length === 0) return
    this.#ended = this.#ended.filter((r) => (r.endedAtMs ?? Infinity) > horizonMs)
    for (const request of gone) {
      for (const customer of request.customers) this.#remove(customer, request)
    }
  }

  #remove(customer: string, request: OpenRequest): void {
    const rest = (this.#byCustomer.get(customer) ?? []).filter((r) => r !== request)
    if (rest.length === 0) this.#byCustomer.delete(customer)
    else this.#byCustomer.set(customer, rest)
  }
}
