import { banner } from '../../src/start/banner.js'
import { BadPorts, planStart } from '../../src/start/plan.js'

const made = { producerSecret: 'p-secret', adminToken: 'a-token', simulatorKey: 'sim-key' }
const REDIS = 'redis://127.0.0.1:16379'

describe('the plan of npm start', () => {
  it('simulates MoEngage and makes keys when nothing is configured', () => {
    const plan = planStart({ PATH: '/bin', PORT: '' }, REDIS, made, null)
    expect(plan.apiEnv).toEqual({
      PATH: '/bin',
      PORT: '8080',
      OPS_PORT: '9464',
      OPS_HOST: '127.0.0.1',
      REDIS_URL: REDIS,
      RELAY_PRODUCERS: 'local:p-secret',
      RELAY_ADMIN_TOKEN: 'a-token',
      RELAY_SHUTDOWN_MS: '2000',
      MOENGAGE_APP_ID: 'DEMO',
      MOENGAGE_API_KEY: 'sim-key',
      MOENGAGE_BASE_URL: 'http://127.0.0.1:9400',
    })
    expect(plan.workerEnv.OPS_PORT).toBe('9465')
    expect(plan.simulatorEnv).toMatchObject({ PORT: '9400', SIM_WORKSPACES: 'DEMO:sim-key' })
  })

  it.each([
    'MOENGAGE_APP_ID',
    'MOENGAGE_API_KEY',
    'MOENGAGE_BASE_URL',
    'MOENGAGE_DC',
    'RELAY_WORKSPACES_FILE',
  ])('simulates nothing once %s is set, even alone', (name) => {
    const plan = planStart({ [name]: 'x' }, REDIS, made, null)
    expect(plan.simulator).toBeNull()
    const moengage = Object.entries(plan.apiEnv).filter(([key]) => key.startsWith('MOENGAGE_'))
    expect(moengage).toEqual(name.startsWith('MOENGAGE_') ? [[name, 'x']] : [])
  })

  it('tells the simulator the names of the workspace, unless it has its own', () => {
    const own = { MOENGAGE_IDENTIFIERS: 'card', MOENGAGE_ALLOWED_NAMES: 'moe_new' }
    const planned = (env: Record<string, string>) =>
      planStart({ ...own, ...env }, REDIS, made, null).simulatorEnv
    expect(planned({})).toMatchObject({ SIM_IDENTIFIERS: 'card', SIM_ALLOWED_NAMES: 'moe_new' })
    expect(planned({ SIM_IDENTIFIERS: 'tax_id' })).toMatchObject({ SIM_IDENTIFIERS: 'tax_id' })
  })

  it('gives OPS_PORT to the api and WORKER_OPS_PORT to the worker', () => {
    const env = { OPS_PORT: '1001', WORKER_OPS_PORT: '1002', PORT: '1003', SIM_PORT: '1004' }
    const plan = planStart(env, REDIS, made, null)
    expect(plan.apiEnv).toMatchObject({ PORT: '1003', OPS_PORT: '1001' })
    expect(plan.workerEnv.OPS_PORT).toBe('1002')
    expect(plan.apiEnv.MOENGAGE_BASE_URL).toBe('http://127.0.0.1:1004')
  })

  it.each(['0', '65536', 'http', '80.5', '-1'])('refuses the port %s by name', (port) => {
    expect(() => planStart({ OPS_PORT: port }, REDIS, made, null)).toThrow(BadPorts)
    expect(() => planStart({ OPS_PORT: port }, REDIS, made, null)).toThrow(/OPS_PORT/)
  })

  it('names all ports that are wrong together, and a port that is used twice', () => {
    const all = () => planStart({ PORT: 'abc', OPS_PORT: '9464x' }, REDIS, made, null)
    expect(all).toThrow(/PORT is "abc".*\nOPS_PORT is "9464x"/)
    const twice = () => planStart({ PORT: '8080', OPS_PORT: '8080' }, REDIS, made, null)
    expect(twice).toThrow('OPS_PORT and PORT are both 8080.')
  })
})

describe('what npm start prints', () => {
  it('shows a curl with the operator’s own producer, quoted for a shell', () => {
    const env = { RELAY_PRODUCERS: "shop:it's,crm:other", MOENGAGE_APP_ID: 'APP' }
    const printed = banner(planStart(env, REDIS, made, null), REDIS, '/logs')
    expect(printed).toMatch(/^curl .*\/v1\/event\/APP \\\n {2}-u 'APP:it'\\''s' \\\n/m)
    expect(printed.indexOf('curl ')).toBe(printed.search(/^curl /m))
    expect(printed).not.toContain('|')
  })

  it('takes the app id of the workspaces file', () => {
    const plan = planStart({ RELAY_WORKSPACES_FILE: 'w.json' }, REDIS, made, 'FROM_FILE')
    expect(banner(plan, REDIS, '/logs')).toContain('/v1/event/FROM_FILE ')
  })

  it('says whether Redis is its own or the one of an exported REDIS_URL', () => {
    const redisOf = (env: Record<string, string>) =>
      banner(planStart(env, REDIS, made, null), REDIS, '/logs')
        .split('\n')
        .find((line) => line.includes(' Redis '))
    expect(redisOf({ REDIS_URL: '' })).toContain(`${REDIS} (started by this)`)
    expect(redisOf({ REDIS_URL: REDIS })).toContain(`${REDIS} (REDIS_URL)`)
  })

  it('hides the password of a Redis URL and an admin token that was given', () => {
    const plan = planStart({ RELAY_ADMIN_TOKEN: 'hush' }, 'redis://u:pw@h:1', made, null)
    const printed = banner(plan, 'redis://u:pw@h:1', '/logs')
    expect(printed).not.toContain('pw@')
    expect(printed).not.toContain('hush')
  })
})
