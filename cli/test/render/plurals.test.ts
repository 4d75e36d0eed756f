import { Pace, progressLine } from '../../src/import/display.js'
import { namesLines, shadowLines } from '../../src/render/views.js'

const shadow = (n: number) =>
  shadowLines({
    ...{ app_id: 'A', mode: 'shadow', shadowed: 'drop', since: 'S', rejected: n, waiting: n },
    requests: { accepted: n, refused: n, failed: n },
    accepted: { user: n, event: n, device: n, total: n },
    ...{ refused_by_rule: {}, warned_by_rule: {}, budgets: {} },
    dropped: { elements: n, requests: n, bytes: n, mean_body_bytes: n },
  })
const names = (n: number, doubt: string | null) => {
  const one = { kind: 'event', types: [], since: 'S', producer: 'P', doubt }
  const all = Array.from({ length: n }, (_, i) => ({ ...one, name: `n${i}` }))
  return namesLines({ app_id: 'A', bounds: [], names: all }, false)
}
const progress = (lines: number) =>
  progressLine({ share: 0, lines, rejected: 0, nowMs: 0 }, new Pace(), null)

it.each([
  [0, /0 elements in 0 requests, 0 bytes/, /0 users, 0 events, 0 devices/],
  [1, /1 element in 1 request, 1 byte /, /1 user, 1 event, 1 device\)/],
  [2, /2 elements in 2 requests, 2 bytes/, /2 users, 2 events, 2 devices/],
])('%i of a report in shadow', (n, dropped, accepted) => {
  expect(shadow(n).join('\n')).toMatch(dropped)
  expect(shadow(n).join('\n')).toMatch(accepted)
})

it('one name and one line are singular', () => {
  expect(names(1, null).join('\n')).toContain('1 name, not doubtful.')
  expect(names(1, 'why').join('\n')).toContain('1 name, doubtful.')
  expect(names(2, null).join('\n')).toContain('2 names, none of them doubtful.')
  expect([progress(1), progress(2)].join('\n')).toMatch(/ 1 line {2}ETA -\n.* 2 lines {2}/)
})

it('names tell how old they can be', () => {
  for (const lines of [names(0, null), names(1, null), names(2, 'why')]) {
    expect(lines.join('\n')).toContain('within 10 s of a post')
  }
})
