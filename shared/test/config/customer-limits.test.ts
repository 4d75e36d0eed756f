import { parseCustomerLimits } from '../../src/config/customer-limits.js'
import { parseEnvironment } from '../../src/config/environment.js'
import { parseWorkspacesFile } from '../../src/config/workspace.js'

const OWN = { MOENGAGE_APP_ID: 'APP', MOENGAGE_API_KEY: 'key', MOENGAGE_DC: '01' }
const read = (env: Record<string, string>) => parseEnvironment({ ...OWN, ...env }, 1)

describe('limits per customer', () => {
  it('are those of the vendor by default, in order of their windows', () => {
    expect(read({}).ownWorkspace?.customerLimits).toEqual([
      { units: 5_000, windowMs: 60_000 },
      { units: 10_000, windowMs: 300_000 },
      { units: 50_000, windowMs: 3_600_000 },
      { units: 100_000, windowMs: 86_400_000 },
    ])
  })

  it('can be switched off', () => {
    expect(read({ MOENGAGE_CUSTOMER_LIMITS: 'off' }).customerLimits).toEqual([])
  })

  it.each(['', '5', '5/0', '0/60', '5/60,', '5/60;6/70', '1/172801', 'on', '-1/60', '1.5/60'])(
    '"%s" is refused',
    (text) => expect(parseCustomerLimits(text)).toBeNull(),
  )

  it('of a workspace of the file replace those of the environment; a faulty one is named', () => {
    const workspace = { appId: 'A', apiKey: 'k', dc: '01' }
    const {
      defaultLimits: defaults,
      customerLimits,
      forwardedFor,
    } = read({
      MOENGAGE_FORWARDED_FOR: '203.0.113.7',
    })
    const parse = (more: object) =>
      parseWorkspacesFile(JSON.stringify({ workspaces: [{ ...workspace, ...more }] }), {
        ...{ file: 'w.json', defaults, customerLimits, forwardedFor, readKeyFile: () => '' },
      })
    expect(parse({}).workspaces[0]).toMatchObject({ customerLimits, forwardedFor: '203.0.113.7' })
    expect(
      parse({ customerLimits: '7/10', forwardedFor: '2001:db8::1' }).workspaces[0],
    ).toMatchObject({
      customerLimits: [{ units: 7, windowMs: 10_000 }],
      forwardedFor: '2001:db8::1',
    })
    const { faults } = parse({ customerLimits: '7 per minute', forwardedFor: 'host\r\nX: 1' })
    expect(faults.map(({ where }) => where)).toEqual([
      'w.json workspaces.0.forwardedFor',
      'w.json workspaces.0.customerLimits',
    ])
  })
})
