import type { DeadLetter } from '../../src/dead-letters/dead-letter.js'

/** A dead letter of workspace APP; `n` makes its id and orders its death. */
export function letter(n: number, more: Partial<DeadLetter> = {}): DeadLetter {
  const appId = more.appId ?? 'APP'
  return {
    id: `${appId}.realtime.0.0.${n}.0`,
    appId,
    lane: 'realtime',
    kind: 'event',
    customer: '00000000000000aa',
    element: `{"type":"event","n":${n}}`,
    cost: 1,
    posted: 1,
    reason: 'element_refused',
    answer: { status: 400, type: 'AttributeError', message: 'no', attribute: 'n' },
    attempts: 2,
    requestId: '01JDBX3K5NPQRS000000000000',
    acceptedAtMs: 1_700_000_000_000,
    deadAtMs: 1_700_000_000_000 + n,
    ...more,
  }
}
