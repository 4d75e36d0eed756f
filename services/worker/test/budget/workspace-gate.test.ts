import type { GateStore } from '@relay/shared/gate/gate-store.js'
import type { Gate, Mode } from '@relay/shared/gate/gate-state.js'
import { WorkspaceGate } from '../../src/budget/workspace-gate.js'
import { clock, FakeGateStore, FakeRedis } from '../support/fakes.js'

const held = (nextProbeAtMs: number): Mode => ({
  state: 'held',
  reason: 'unavailable',
  sinceMs: 0,
  nextProbeAtMs,
  probeIntervalMs: 2_000,
  probe: null,
})

let redis: FakeRedis
let store: FakeGateStore
let changes: string[]
let gate: WorkspaceGate

beforeEach(() => {
  jest.useFakeTimers()
  redis = new FakeRedis()
  store = new FakeGateStore(redis)
  changes = []
  gate = gateOf()
})

afterEach(() => jest.useRealTimers())

function gateOf(): WorkspaceGate {
  return new WorkspaceGate({
    store: store as unknown as GateStore,
    random: { next: () => 0, bytes: (length) => Buffer.alloc(length) },
    nowMs: () => clock.nowMs(),
    onChange: (now: Gate, before: Gate) => {
      changes.push(`${before.mode.state} ${now.mode.state}`)
    },
  })
}

describe("a worker's view of the gate", () => {
  it('is open before anything was written, and adopts what others wrote once', async () => {
    expect(gate.mayStart()).toEqual({ go: true, probe: false })
    store.set(held(clock.nowMs() + 1_000))
    await gate.refresh()
    await gate.refresh()
    expect(gate.version).toBe('1')
    expect(gate.mayStart()).toEqual({ go: false, waitMs: 1_000 })
    expect(changes).toEqual(['open held'])
  })

  it('is written again when Redis has lost it: what paused or held the workspace still counts', async () => {
    store.set(held(9e15))
    await gate.refresh()
    store.stored = { version: '0', record: '' }
    await gate.refresh()
    expect(gate.gate.mode.state).toBe('held')
    expect(store.gate.mode.state).toBe('held')
    expect(gate.version).toBe(store.stored.version)
  })

  it('opens nothing that Redis has paused or held: others may know of a later pause', async () => {
    store.stored = { version: '7', record: JSON.stringify({ ...gate.gate, paused: false }) }
    await gate.refresh()
    store.stored = { version: '6', record: '' }
    store.set(held(9e15), true)
    store.stored = { ...store.stored, version: '5' }
    const writes = store.writes
    await gate.refresh()
    expect(gate.gate).toMatchObject({ paused: true, mode: { state: 'held' } })
    expect(store.writes).toBe(writes)
  })

  it('is not written over one that was changed after Redis had lost it', async () => {
    store.stored = { version: '7', record: JSON.stringify({ ...gate.gate, paused: true }) }
    await gate.refresh()
    store.stored = { version: '0', record: '' }
    gate.adopt(store.stored)
    // Versions contain the time.
    store.stored = { version: '8', record: JSON.stringify({ ...gate.gate, paused: false }) }
    await gate.refresh()
    expect(gate.gate.paused).toBe(false)
    expect(store.gate.paused).toBe(false)
  })
})

describe('an event', () => {
  const failure = { type: 'failed_transient', reason: 'timeout', probeId: null } as const

  it('is written once, and not at all when it changes nothing', async () => {
    await gate.apply({ type: 'succeeded', probeId: null })
    expect(store.writes).toBe(0)
    await gate.apply(failure)
    expect(store.gate.mode).toMatchObject({ state: 'retrying', attempt: 1 })
    expect(changes).toEqual(['open retrying'])
  })

  it('is applied to the state that a faster worker wrote', async () => {
    store.set(held(9e15))
    await gate.apply(failure)
    // A failure of an ordinary request says nothing new about a held workspace.
    expect(store.gate.mode.state).toBe('held')
    expect(gate.gate.mode.state).toBe('held')
    expect(store.writes).toBe(1)
  })

  it('is given up as without an answer, when the gate keeps changing: the caller decides about a repetition', async () => {
    store.beforeChange = () => {
      store.set({ state: 'open' })
    }
    await expect(gate.apply(failure)).rejects.toThrow('gate')
    expect(store.writes).toBeLessThanOrEqual(100)
    store.beforeChange = () => undefined
    await gate.apply(failure)
    expect(store.gate.mode.state).toBe('retrying')
  })

  it('rejects when Redis does not answer', async () => {
    redis.isAway = true
    await expect(gate.apply(failure)).rejects.toThrow()
    expect(gate.gate.mode.state).toBe('open')
  })
})

describe('the one probe', () => {
  it('belongs to the first of two workers', async () => {
    store.set(held(clock.nowMs()))
    const other = gateOf()
    await Promise.all([gate.refresh(), other.refresh()])
    expect(await gate.startProbe('a', 11_000)).toBe(true)
    expect(await other.startProbe('b', 11_000)).toBe(false)
    expect([gate.isProbe('a'), other.isProbe('b'), other.isProbe('a')]).toEqual([true, false, true])
  })

  it('is recognised by its id although the reply was lost', async () => {
    store.set(held(clock.nowMs()))
    await gate.refresh()
    redis.losesReplies = true
    await expect(gate.startProbe('a', 11_000)).rejects.toThrow()
    expect(gate.isProbe('a')).toBe(false)
    redis.losesReplies = false
    expect(await gate.startProbe('a', 11_000)).toBe(true)
  })

  it('is released although the reply to its start was lost', async () => {
    store.set(held(clock.nowMs()))
    await gate.refresh()
    redis.losesReplies = true
    await expect(gate.startProbe('a', 11_000)).rejects.toThrow()
    redis.losesReplies = false
    await gate.releaseProbe('a')
    expect(store.gate.mode).toMatchObject({ state: 'held', probe: null })
  })

  it('is released by the worker that has it with one write', async () => {
    store.set(held(clock.nowMs()))
    await gate.refresh()
    await gate.startProbe('a', 11_000)
    const { writes } = store
    await gate.releaseProbe('a')
    expect(store.gate.mode).toMatchObject({ state: 'held', probe: null })
    expect(store.writes).toBe(writes + 1)
  })

  it('that is not known to Redis needs no release', async () => {
    await gate.releaseProbe('a')
    expect(store.writes).toBe(0)
  })
})
