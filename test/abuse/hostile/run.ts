import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API_KEY, Relay, type Environment } from '../../support/relay.js'
import { BODIES } from './bodies.js'
import { ALL_PRODUCERS, ACCESS, OTHER_APP_ID, OTHER_PRODUCER } from './access.js'
import { play, type Exchanged } from './exchange.js'
import { FRAMING } from './framing.js'
import type { HostileInput } from './input.js'
import { Neighbour, type Lap } from './neighbour.js'
import { SLOW_CLIENTS } from './slow-clients.js'
import { processFacts, type ProcessFacts } from '@relay/tools/process/facts.js'

/** By what they attack. */
export const GROUPS: Readonly<Record<string, readonly HostileInput[]>> = {
  'HTTP itself': FRAMING,
  'The body': BODIES,
  'Keys, paths and the operator API': ACCESS,
  'Time and connections': SLOW_CLIENTS,
}

export interface Played {
  readonly input: HostileInput
  readonly exchanged: readonly Exchanged[]
  /** Of the api, the most seen while it was played. */
  readonly most: ProcessFacts
  readonly neighbour: Lap
}

/** An api with a second workspace that is not for everybody, and no worker. */
export function startTarget(env: Environment = { LOG_LEVEL: 'debug' }): Promise<Relay> {
  const file = join(mkdtempSync(join(tmpdir(), 'relay-hostile-')), 'workspaces.json')
  const workspace = { appId: OTHER_APP_ID, apiKey: API_KEY, dc: '02', producers: [OTHER_PRODUCER] }
  writeFileSync(file, JSON.stringify({ workspaces: [workspace] }))
  return Relay.start({
    workers: 0,
    env: {
      RELAY_WORKSPACES_FILE: file,
      RELAY_PRODUCERS: ALL_PRODUCERS,
      ...env,
    },
  })
}

const LOOK_EVERY_MS = 20

/** One live api under hostile input, with a well-behaved producer beside it. */
export class Siege {
  readonly relay: Relay
  readonly neighbour: Neighbour
  readonly #nowMs: () => number

  constructor(relay: Relay, nowMs: () => number) {
    this.relay = relay
    this.#nowMs = nowMs
    this.neighbour = new Neighbour(relay.apiUrl, nowMs)
  }

  facts(): ProcessFacts {
    return processFacts(this.relay.api.pid)
  }

  async play(input: HostileInput): Promise<Played> {
    this.neighbour.lap()
    let most = this.facts()
    const look = setInterval(() => {
      const { residentMiB, descriptors } = this.facts()
      most = {
        residentMiB: Math.max(most.residentMiB, residentMiB),
        descriptors: Math.max(most.descriptors, descriptors),
      }
    }, LOOK_EVERY_MS)
    const { apiUrl, opsUrl } = this.relay
    const { port } = new URL(input.listener === 'intake' ? apiUrl : opsUrl)
    const exchanged = await play(input, { port: Number(port), nowMs: this.#nowMs })
    clearInterval(look)
    return { input, exchanged, most, neighbour: this.neighbour.lap() }
  }
}
