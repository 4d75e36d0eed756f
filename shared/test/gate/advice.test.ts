import { holdAdvice } from '../../src/gate/advice.js'
import { HOLD_REASONS } from '../../src/gate/gate-state.js'

it.each(HOLD_REASONS)(
  '%s is explained without a status that its answers need not have',
  (reason) => {
    // MoEngage says that an account is blacklisted with 400, suspended with 403.
    const { meaning, next } = holdAdvice({ reason })
    expect([meaning, next].join()).not.toMatch(/\b(400|403)\b/)
    expect(next).not.toBe('')
  },
)
