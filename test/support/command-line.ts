import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '@relay/tools/process/child.js'
import { ADMIN_TOKEN, APP_ID, SECRET, type Relay } from './relay.js'

const ENTRY = fileURLToPath(new URL('../../cli/bin/relay.mjs', import.meta.url))

/** Starts the command line against a running relay. */
export function startCommand(relay: Relay, ...args: readonly string[]): Promise<Child> {
  const env = {
    MOENGAGE_APP_ID: APP_ID,
    RELAY_ADMIN_TOKEN: ADMIN_TOKEN,
    RELAY_ADMIN_URL: relay.opsUrl,
    RELAY_INTAKE_URL: relay.apiUrl,
    RELAY_PRODUCER_SECRET: SECRET,
  }
  return startChild({ name: `relay ${args.join(' ')}`, entry: ENTRY, args, env })
}
