import { parseEnvironment } from '../../src/config/environment.js'
import { parseWorkspacesFile } from '../../src/config/workspace.js'

const ENV = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }
const DEFAULTS = {
  usersPerWindow: 1,
  eventsPerWindow: 1,
  devicesPerWindow: null,
  maxBodyBytes: 1_000,
}

function workspacesOf(...fields: object[]) {
  const workspaces = fields.map((field, i) => {
    return { appId: `A${i}`, apiKey: 'k', dc: '02', ...field }
  })
  const context = { file: 'w.json', defaults: DEFAULTS, readKeyFile: () => '' }
  return parseWorkspacesFile(JSON.stringify({ workspaces }), context)
}

describe('coalescing is', () => {
  test('on unless switched off', () => {
    expect(parseEnvironment(ENV, 1).coalesce).toBe(true)
    expect(parseEnvironment({ ...ENV, RELAY_COALESCE: 'off' }, 1).coalesce).toBe(false)
    expect(() => parseEnvironment({ ...ENV, RELAY_COALESCE: 'no' }, 1)).toThrow('RELAY_COALESCE')
  })

  test("each workspace's own matter, where the file says so", () => {
    const { workspaces, faults } = workspacesOf({ coalesce: false }, { coalesce: true }, {})
    expect(faults).toEqual([])
    expect(workspaces.map(({ coalesce }) => coalesce)).toEqual([false, true, undefined])
    expect(workspacesOf({ coalesce: 'off' }).faults).toHaveLength(1)
  })
})
