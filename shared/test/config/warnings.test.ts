import { producerWarnings, secretWarnings, workspaceWarnings } from '../../src/config/warnings.js'
import { parseEnvironment } from '../../src/config/environment.js'
import { hashSecret, Keyring } from '../../src/config/secret.js'
import { parseWorkspacesFile, type Workspace } from '../../src/config/workspace.js'

const LONG = 'x'.repeat(32)

function workspaces(...given: readonly object[]): Workspace[] {
  const named = given.map((one, i) => ({ appId: `W${i}`, apiKey: 'k', dc: '02', ...one }))
  const { defaultLimits: defaults } = parseEnvironment(
    { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' },
    1,
  )
  const context = { file: 'f', defaults, readKeyFile: () => '' }
  return parseWorkspacesFile(
    JSON.stringify({
      workspaces: named.map((one) => ('baseUrl' in one ? { ...one, dc: undefined } : one)),
    }),
    context,
  ).workspaces
}

function secrets(env: Readonly<Record<string, string>>) {
  const own = { MOENGAGE_APP_ID: 'A', MOENGAGE_API_KEY: 'k', MOENGAGE_DC: '02' }
  const { producers, adminToken } = parseEnvironment({ ...own, ...env }, 1)
  const tokens = adminToken === null ? [] : [adminToken]
  const operators = new Keyring(new Map([['operator', tokens]]))
  return secretWarnings({ producers: new Keyring(producers), operators })
}

it('a short secret is toFinding by its holder’s name, and not told', () => {
  const warnings = secrets({ RELAY_PRODUCERS: `shop:hush,crm:${LONG}`, RELAY_ADMIN_TOKEN: 'psst' })
  expect(warnings.map(({ where, problem }) => `${where}: ${problem}`)).toEqual([
    'RELAY_PRODUCERS: the secret of shop is short',
    'RELAY_ADMIN_TOKEN: is short',
  ])
  expect(JSON.stringify(warnings)).not.toMatch(/hush|psst/)
})

it('one secret for several doors is toFinding, and not told', () => {
  const producers = `shop:${LONG},crm:${LONG},app:${'y'.repeat(32)}`
  const warnings = secrets({ RELAY_PRODUCERS: producers, RELAY_ADMIN_TOKEN: 'y'.repeat(32) })
  expect(warnings.map(({ problem }) => problem)).toEqual([
    'the secret of app is also an admin token for the operator API',
    'crm and shop have the same secret, so relay cannot distinguish them',
  ])
  expect(JSON.stringify(warnings)).not.toContain(LONG)
})

it('a long or hashed secret is not', () => {
  const hashed = hashSecret('hush', 'salt')
  expect(secrets({ RELAY_PRODUCERS: `shop:${LONG},crm:${hashed}`, RELAY_ADMIN_TOKEN: 'z'.repeat(32) })).toEqual([]) // prettier-ignore
})

it.each([
  ['http://example.com', 1],
  ['http://127.example.com', 1],
  ['http://localhost.example.com:9400', 1],
  ['http://10.0.0.1:9400', 1],
  ['https://api-02.moengage.com', 0],
  ['http://127.0.0.1:9400', 0],
  ['http://127.1.2.3', 0],
  ['http://localhost', 0],
  ['http://localhost:9400', 0],
  ['http://[::1]:9400', 0],
])('the API key travels in clear to %s: %d', (baseUrl, count) => {
  expect(workspaceWarnings(workspaces({ baseUrl }))).toHaveLength(count)
})

it('a workspace that names an unknown producer', () => {
  const keyring = new Keyring(new Map([['shop', [LONG]]]))
  const given = workspaces(
    { producers: ['shop', 'shpo'], quotas: { crm: { elementsPerMinute: 1 } } },
    {},
  )
  const problem = (name: string) => `references unknown producer "${name}" (not in RELAY_PRODUCERS)`
  expect(producerWarnings(given, keyring)).toEqual(
    ['shpo', 'crm'].map((name) => ({
      where: 'workspace W0',
      problem: problem(name),
      remedy: expect.any(String) as string,
    })),
  )
})
