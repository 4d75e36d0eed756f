import { Agent } from 'node:http'
import { basicAuth, call } from '@relay/shared/process/http-call.js'
import { APP_ID, SECRET } from '../../support/relay.js'
import { GOOD_BODY, PATH } from './bytes.js'

export interface Timing {
  readonly rounds: number
  readonly rows: readonly {
    readonly what: string
    readonly medianUs: number
    readonly p90Us: number
  }[]
}

const KEYS: Readonly<Record<string, readonly [string, string]>> = {
  'wrong from the first letter': [APP_ID, `X${SECRET.slice(1)}`],
  'wrong in the last letter': [APP_ID, `${SECRET.slice(0, -1)}X`],
  'one letter': [APP_ID, 'X'],
  'an unknown workspace': ['NOBODY', SECRET],
}

/** How long relay takes to refuse each kind of wrong key, interleaved so that drift hits all alike. */
export async function timeWrongKeys(apiUrl: string, rounds: number): Promise<Timing> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = new Map(Object.keys(KEYS).map((what) => [what, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const [what, [user, secret]] of Object.entries(KEYS)) {
      const startedNs = process.hrtime.bigint()
      const headers = { Authorization: basicAuth(user, secret), 'Content-Type': 'application/json' }
      await call(`${apiUrl}${PATH}`, { method: 'POST', headers, agent, body: GOOD_BODY })
      times.get(what)?.push(Number(process.hrtime.bigint() - startedNs) / 1_000)
    }
  }
  agent.destroy()
  const rows = [...times].map(([what, own]) => {
    const sorted = own.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
    return { what, medianUs: at(0.5), p90Us: at(0.9) }
  })
  return { rounds, rows }
}
