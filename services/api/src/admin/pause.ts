import { GateStore } from '@relay/shared/gate/gate-store.js'
import { readGate } from '@relay/shared/gate/gate-state.js'
import { advance } from '@relay/shared/gate/gate.js'
import type { RedisClient } from '@relay/shared/redis/connect.js'

/** Stops or starts sending to a workspace; a concurrent change of the gate goes first. */
export async function setPaused(
  client: RedisClient,
  prefix: string,
  appId: string,
  paused: boolean,
): Promise<void> {
  const store = new GateStore(client, prefix, appId)
  for (;;) {
    const { version, record } = await store.read()
    const gate = readGate(record === '' ? null : record)
    if (gate.paused === paused) return
    // These events depend on neither time nor randomness.
    const next = advance(gate, { type: paused ? 'paused' : 'resumed' }, 0, 0)
    if ((await store.change(version, JSON.stringify(next))).changed) return
  }
}
