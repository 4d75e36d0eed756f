import { letterLines } from '../../src/render/dead-letters.js'
import { traceLines } from '../../src/render/views.js'

const STEERING = '\u001b[2J\u0007\r\n\u202e\u2066\u2028\u009b'
const FOUND = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u

describe('words of MoEngage and of producers', () => {
  it('steer no terminal in a list of dead letters', () => {
    const answer = {
      status: 400,
      type: STEERING,
      message: `no${STEERING}`,
      attribute: `a${STEERING}b`,
    }
    const letter = {
      ...{ id: 'A.1', app_id: 'A', lane: 'realtime', kind: 'user', reason: 'refused', answer },
      ...{ attempts: 1, request_id: 'r', accepted_at: 'now', dead_at: 'now' },
    }
    expect(letterLines([letter]).join('')).not.toMatch(FOUND)
  })

  it('steer no terminal in a trace', () => {
    const answer = { status: 400, message: STEERING, attribute: null }
    const lines = traceLines({
      ...{
        request_id: 'r',
        app_id: 'A',
        accepted_at: 'now',
        state: 'dead_lettered',
        counts: {},
        sent: [],
      },
      dead_lettered: [{ id: 'A.1', reason: 'refused', answer }],
    })
    expect(lines.join('')).not.toMatch(FOUND)
  })
})
