import type { Outcome } from '../../src/classify/outcome.js'
import { gateEventOf } from '../../src/retry/gate-event.js'

const error = { status: 400, type: 'T', message: 'm', attribute: null, requestId: null }

it.each<[Outcome, object]>([
  [{ outcome: 'delivered', requestId: null }, { type: 'succeeded' }],
  [
    { outcome: 'element_refused', error },
    { type: 'succeeded', nothingAccepted: true },
  ],
  [
    { outcome: 'undecodable', error },
    { type: 'succeeded', nothingAccepted: true },
  ],
  [
    { outcome: 'unexplained', error },
    { type: 'succeeded', nothingAccepted: true },
  ],
  [
    { outcome: 'too_large', error },
    { type: 'succeeded', nothingAccepted: true },
  ],
  [
    { outcome: 'refused', reason: 'account_refused', error },
    { type: 'refused_for', reason: 'account_refused' },
  ],
  [
    { outcome: 'rate_limited', retryAfterMs: 7_000 },
    { type: 'rate_limited', retryAfterMs: 7_000, resetMs: null },
  ],
  [
    { outcome: 'transient', reason: 'reset', mayHaveArrived: true },
    { type: 'failed_transient', reason: 'reset' },
  ],
  [{ outcome: 'interrupted', mayHaveArrived: true }, { type: 'probe_released' }],
])('%j tells the gate %j', (outcome, event) => {
  expect(gateEventOf(outcome, 'p')).toEqual({ ...event, probeId: 'p' })
})

it('an interruption of no probe tells the gate nothing', () => {
  expect(gateEventOf({ outcome: 'interrupted', mayHaveArrived: false }, null)).toBeNull()
})

it.each(['unexplained', 'undecodable'] as const)(
  'an %s refusal is news for the gate only as a probe, or when it holds the workspace',
  (outcome) => {
    expect(gateEventOf({ outcome, error }, null)).toBeNull()
    for (const probeId of ['p', null]) {
      const event = { type: 'refused_for', reason: 'some_refused', probeId }
      expect(gateEventOf({ outcome, error }, probeId, 'some_refused')).toEqual(event)
    }
  },
)
