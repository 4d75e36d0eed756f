import type { GateStore, StoredGate } from '@relay/shared/gate/gate-store.js'
import type { Random } from '@relay/shared/random.js'
import {
  advance,
  isProbe,
  mayStart,
  type GateEvent,
  type MayStart,
} from '@relay/shared/gate/gate.js'
import { OPEN_GATE, readGate, type Gate } from '@relay/shared/gate/gate-state.js'

export interface WorkspaceGateOptions {
  readonly store: GateStore
  readonly random: Random
  /** Redis' time: all workers compare the gate's times with one clock. */
  readonly nowMs: () => number
  readonly onChange: (gate: Gate, before: Gate) => void
}

/** A worker's view of a workspace's gate. Every change is a compare-and-set against all workers. */
export class WorkspaceGate {
  readonly #o: WorkspaceGateOptions
  #version = '0'
  #gate: Gate = OPEN_GATE

  constructor(options: WorkspaceGateOptions) {
    this.#o = options
  }

  /** Counts changes; the ledger grants only under the present one. */
  get version(): string {
    return this.#version
  }

  get gate(): Gate {
    return this.#gate
  }

  mayStart(): MayStart {
    return mayStart(this.#gate, this.#o.nowMs())
  }

  /** Adopts a state written by another worker or an operator. */
  adopt({ version, record }: StoredGate): void {
    if (version === this.#version) return
    const before = this.#gate
    this.#version = version
    this.#gate = readGate(record === '' ? null : record)
    this.#o.onChange(this.#gate, before)
  }

  async refresh(): Promise<void> {
    this.adopt(await this.#o.store.read())
  }

  /** Applies an event, after concurrent changes by others. */
  async apply(event: GateEvent): Promise<void> {
    for (;;) {
      const next = advance(this.#gate, event, this.#o.nowMs(), this.#o.random.next())
      if (next === this.#gate) return
      const stored = await this.#o.store.change(this.#version, JSON.stringify(next))
      this.adopt(stored)
      if (stored.changed) return
    }
  }

  isProbe(probeId: string): boolean {
    return isProbe(this.#gate, probeId)
  }

  /** Tries to become the one probe. */
  async startProbe(probeId: string, ttlMs: number): Promise<boolean> {
    await this.apply({ type: 'probe_started', probeId, ttlMs })
    return isProbe(this.#gate, probeId)
  }
}
