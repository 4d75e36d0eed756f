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

/** Tries to write one change while other workers keep changing the gate. */
const MAX_TRIES = 50

export interface WorkspaceGateOptions {
  readonly store: GateStore
  readonly random: Random
  /** Redis' time: all workers compare the gate's times with one clock. */
  readonly nowMs: () => number
  readonly onChange: (gate: Gate, before: Gate) => void
}

/** A worker's view of a workspace's gate. Every change is a compare-and-set against all workers. */
export class WorkspaceGate {
  readonly #options: WorkspaceGateOptions
  #version = '0'
  #gate: Gate = OPEN_GATE
  /** Redis lost a pause or hold that this worker knows of, and has not got it back yet. */
  #isLost = false

  constructor(options: WorkspaceGateOptions) {
    this.#options = options
  }

  /** Increases with every change; the ledger grants only under the present one. */
  get version(): string {
    return this.#version
  }

  get gate(): Gate {
    return this.#gate
  }

  /** `isUntried`: an element would be sent that MoEngage has not refused yet. */
  mayStart(probing: { readonly isUntried?: boolean } = {}): MayStart {
    return mayStart(this.#gate, this.#options.nowMs(), probing)
  }

  /**
   * Adopts a state written by another worker or an operator. An older one shows that Redis lost its last
   * writes: a pause or a hold that this worker knows of still counts, but it opens nothing.
   */
  adopt({ version, record }: StoredGate): void {
    if (version === this.#version) return
    const before = this.#gate
    const stored = readGate(record)
    this.#gate = Number(version) < Number(this.#version) ? stricter(before, stored) : stored
    this.#isLost = this.#gate !== stored
    this.#version = version
    this.#options.onChange(this.#gate, before)
  }

  async refresh(): Promise<void> {
    const { store } = this.#options
    this.adopt(await store.read())
    if (!this.#isLost) return
    const stored = await store.change(this.#version, JSON.stringify(this.#gate))
    this.#isLost = false
    this.adopt(stored)
  }

  /**
   * Applies an event, after concurrent changes by others. Rejects when Redis does not answer, or when others
   * changed the gate first in every try.
   */
  async apply(event: GateEvent): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const next = advance(this.#gate, event, this.#options.nowMs(), this.#options.random.next())
      if (next === this.#gate) return
      const stored = await this.#options.store.change(this.#version, JSON.stringify(next))
      this.adopt(stored)
      if (stored.changed) return
    }
    throw new Error('the gate changed during every try to change it')
  }

  isProbe(probeId: string): boolean {
    return isProbe(this.#gate, probeId)
  }

  /** Tries to become the one probe. After a rejection, repeat it with the same id: it may have succeeded. */
  async startProbe(probeId: string, ttlMs: number, isUntried = false): Promise<boolean> {
    await this.apply({ type: 'probe_started', probeId, ttlMs, isUntried })
    return isProbe(this.#gate, probeId)
  }

  /** Gives the probe back, also one whose start was not confirmed. */
  async releaseProbe(probeId: string): Promise<void> {
    if (!this.isProbe(probeId)) await this.refresh()
    await this.apply({ type: 'probe_released', probeId })
  }
}

/** Of two gates what lets less through; `stored` itself if that is all of it. */
function stricter(known: Gate, stored: Gate): Gate {
  const mode = known.mode.state === 'open' ? stored.mode : known.mode
  const paused = known.paused || stored.paused
  const isStored = mode === stored.mode && paused === stored.paused
  return isStored ? stored : { ...stored, mode, paused }
}
