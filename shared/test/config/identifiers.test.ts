import { parseEnvironment } from '../../src/config/environment.js'
import { parseWorkspacesFile } from '../../src/config/workspace.js'

const ENV = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }
const DEFAULTS = { usersPerWindow: 1, eventsPerWindow: 1, devicesPerWindow: null, maxBodyBytes: 1 }

function workspaceWith(fields: object) {
  const workspaces = [{ appId: 'A', apiKey: 'k', dc: '02', ...fields }]
  const context = { file: 'w.json', defaults: DEFAULTS, readKeyFile: () => '' }
  return parseWorkspacesFile(JSON.stringify({ workspaces }), context)
}

describe('the names that a workspace knows beside the documented ones', () => {
  test('come from the environment, in their order', () => {
    const names = { MOENGAGE_IDENTIFIERS: 'loyalty_card, Kundennummer', MOENGAGE_ALLOWED_NAMES: 'moe_new' } // prettier-ignore
    const { ownWorkspace } = parseEnvironment({ ...ENV, ...names }, 1)
    expect(ownWorkspace?.identifiers).toEqual(['loyalty_card', 'Kundennummer'])
    expect(ownWorkspace?.allowedNames).toEqual(['moe_new'])
    expect(parseEnvironment(ENV, 1).ownWorkspace?.identifiers).toBeUndefined()
  })

  test('come from the workspaces file', () => {
    const { workspaces } = workspaceWith({ identifiers: ['b', 'a'], allowedNames: ['moe_x'] })
    expect(workspaces[0]).toMatchObject({ identifiers: ['b', 'a'], allowedNames: ['moe_x'] })
  })

  test.each([
    ['MOENGAGE_IDENTIFIERS', 'a,b,c,d,e,f'],
    ['MOENGAGE_IDENTIFIERS', 'a,,b'],
    ['MOENGAGE_IDENTIFIERS', 'a,a'],
    ['MOENGAGE_ALLOWED_NAMES', 'loyalty'],
    ['MOENGAGE_ALLOWED_NAMES', 'moe_a b'],
  ])('are refused where they cannot be right: %s=%s', (name, value) => {
    expect(() => parseEnvironment({ ...ENV, [name]: value }, 1)).toThrow(name)
  })

  test.each([
    { identifiers: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { identifiers: [''] },
    { identifiers: 'a' },
    { allowedNames: ['x'] },
  ])('are refused in the file, too: %j', (fields) =>
    expect(workspaceWith(fields).faults.length).toBeGreaterThan(0),
  )
})
