import { LOOPBACK } from '../process/port.js'
import type { Plan } from './plan.js'

/** The text that a user sees once everything runs: URLs and a sample request. */
export function banner(plan: Plan, redisUrl: string, logDir: string): string {
  const at = (port: number, path = '') => `http://${LOOPBACK}:${port}${path}`
  const { intake, apiOps, workerOps, simulator } = plan
  const places: [string, string][] = [
    ['Intake', at(intake.port)],
    ['API reference', at(intake.port, '/docs')],
    ['Operations', at(apiOps.port)],
    ['Metrics', `${at(apiOps.port, '/metrics')} (api), ${at(workerOps.port, '/metrics')} (worker)`],
    ['MoEngage', simulator === null ? 'as configured' : `${at(simulator.port, '/')} (simulator)`],
    [
      'Redis',
      `${withoutPassword(redisUrl)} (${plan.isOwnRedis ? 'started by this' : 'REDIS_URL'})`,
    ],
    ['Admin token', plan.madeAdminToken ?? 'as set in RELAY_ADMIN_TOKEN'],
    ['Logs', logDir],
  ]
  return [
    '',
    'relay is running.',
    '',
    ...places.map(([name, value]) => `  ${name.padEnd(17)} ${value}`),
    '',
    'Post an event, as to MoEngage itself:',
    '',
    ...exampleRequest(plan),
    '',
    'Press Ctrl-C to stop. Accepted data is kept and delivered on the next start.',
    '',
  ].join('\n')
}

function exampleRequest({ appId, producerSecret, intake }: Plan): string[] {
  const event = {
    type: 'event',
    customer_id: 'customer-1',
    actions: [{ action: 'Signed Up', attributes: { plan: 'pro' } }],
  }
  return [
    `curl -sS -X POST http://${LOOPBACK}:${intake.port}/v1/event/${appId} \\`,
    `  -u ${quoted(`${appId}:${producerSecret}`)} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quoted(JSON.stringify(event))}`,
  ]
}

/** As one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/g, '//…@')
}
