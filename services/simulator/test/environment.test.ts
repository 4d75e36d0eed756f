import { ConfigError } from '@relay/shared/config/fault.js'
import { parseSimulatorEnvironment } from '../src/environment.js'

test('defaults need no environment', () => {
  expect(parseSimulatorEnvironment({})).toMatchObject({
    port: 9400,
    host: '127.0.0.1',
    workspaces: { DEMO_DEBUG: { key: 'demo-key' } },
    usersPerWindow: 5000,
    eventsPerWindow: 20_000,
    devicesPerWindow: null,
    windowMs: 60_000,
    maxBodyBytes: 128_000,
    validation: 'strict',
  })
})

test('every variable is read', () => {
  const settings = parseSimulatorEnvironment({
    PORT: '0',
    SIM_WORKSPACES: 'A:k:1,B:k2',
    SIM_WINDOW_SECONDS: '20',
    SIM_WINDOW_MODE: 'fixed',
    SIM_ENFORCE_LIMITS: 'false',
    SIM_LATENCY_BEFORE_MS: '5',
    SIM_LATENCY_AFTER_JITTER_MS: '7',
    SIM_RECORD: 'counts',
    SIM_CUSTOMER_LIMITS: '5/60',
    SIM_RATE_LIMIT_HEADERS: 'envoy_epoch',
    SIM_PROJECTS: 'EU, US',
    SIM_ALLOWED_IPS: '203.0.113.7',
    SIM_IDENTIFIERS: 'loyalty_card, tax_id',
    SIM_ALLOWED_NAMES: 'moe_new',
  })
  expect(settings).toMatchObject({
    port: 0,
    workspaces: { A: { key: 'k:1' }, B: { key: 'k2' } },
    windowMs: 20_000,
    windowMode: 'fixed',
    enforceLimits: false,
    latency: { beforeMs: 5, beforeJitterMs: 0, afterMs: 0, afterJitterMs: 7 },
    record: 'counts',
    customerLimits: [{ units: 5, windowMs: 60_000 }],
    rateLimitHeaders: 'envoy_epoch',
    projects: ['EU', 'US'],
    allowedIps: ['203.0.113.7'],
    identifiers: ['loyalty_card', 'tax_id'],
    allowedNames: ['moe_new'],
  })
})

test('a preset sets what belongs together, and a variable overrides its part', () => {
  expect(
    parseSimulatorEnvironment({ SIM_PRESET: 'newer', SIM_USERS_PER_WINDOW: '7' }),
  ).toMatchObject({
    usersPerWindow: 7,
    eventsPerWindow: 60_000,
    devicesPerWindow: 10_000,
    windowMode: 'fixed',
    validation: 'silent',
    newerRules: true,
    rateLimitHeaders: 'seconds',
    customerLimits: [5_000, 10_000, 50_000, 100_000].map(
      (units) => expect.objectContaining({ units }) as unknown,
    ),
  })
  expect(() => parseSimulatorEnvironment({ SIM_PRESET: 'next' })).toThrow(ConfigError)
})

test('all faults are reported at once, by the name of the variable', () => {
  const bad = {
    PORT: 'x',
    SIM_WORKSPACES: 'nothing',
    SIM_VALIDATION: 'lax',
    SIM_LATENCY_AFTER_MS: '-1',
  }
  try {
    parseSimulatorEnvironment(bad)
    throw new Error('was accepted')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    const { faults } = error as ConfigError
    expect(faults.map((f) => f.where).sort()).toEqual(Object.keys(bad).sort())
  }
})
