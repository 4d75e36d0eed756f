import { SHADOWED, WORKSPACE_MODES } from '@relay/shared/config/workspace.js'
import { routeOf } from '../../src/shadow/route.js'

it('an element accepted live is sent in every mode of the workspace', () => {
  for (const mode of WORKSPACE_MODES) {
    for (const shadowed of SHADOWED) expect(routeOf('live', { mode, shadowed })).toBe('send')
  }
})

it.each([
  ['shadow', 'drop', 'drop'],
  ['live', 'drop', 'drop'],
  ['shadow', 'send', 'keep'],
  ['live', 'send', 'send'],
] as const)('accepted in shadow; now %s, to %s: %s', (mode, shadowed, route) => {
  expect(routeOf('shadow', { mode, shadowed })).toBe(route)
})
