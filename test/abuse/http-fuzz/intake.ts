import { connect } from 'node:net'
import { mutated } from '../../support/mutate.js'
import { pick, seededRandom } from '@relay/shared/seeded-random.js'
import type { Random } from '@relay/shared/random.js'
import { BODIES, FRAMINGS, OPS_REQUESTS, REQUESTS } from './corpus.js'

/** Everything that one connection sends: whole requests with mutated bodies, then one that is mutated in every byte. */
export interface Volley {
  readonly seed: number
  readonly isOps: boolean
  /** Well framed: each gets an answer. */
  readonly framed: readonly Buffer[]
  readonly last: Buffer
}

const MAX_FRAMED = 9
const OPS_SHARE = 0.1

/** The same for the same seed. */
export function volleyOf(seed: number): Volley {
  const random: Random = seededRandom(seed)
  const isOps = random.next() < OPS_SHARE
  if (isOps) return { seed, isOps, framed: [], last: mutated(OPS_REQUESTS, random) }
  const count = Math.floor(random.next() * (MAX_FRAMED + 1))
  const framed = Array.from({ length: count }, () =>
    pick(random, FRAMINGS)(mutated(BODIES, random)),
  )
  return { seed, isOps, framed, last: mutated(REQUESTS, random) }
}

/** No 500: nothing that anybody sends may be relay's own fault. 503 is deliberate. */
const ALLOWED = new Set([
  ...[
    100, 102, 200, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 415, 417, 422, 429, 431, 503,
  ],
])

export interface Volleyed {
  readonly requests: number
  readonly statuses: readonly number[]
  /** What is wrong; null: nothing. */
  readonly fault: string | null
}

/** Longer than anything that relay waits for once the caller has said that no more comes. */
const CLOSED_BY_MS = 15_000

/** Sends a volley, half-closes, and judges the answers. */
export async function send(
  volley: Volley,
  ports: { intake: number; ops: number },
): Promise<Volleyed> {
  const { text, closed } = await exchange(volley, volley.isOps ? ports.ops : ports.intake)
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
  const requests = volley.framed.length + 1
  return { requests, statuses, fault: faultOf(volley, statuses, closed) }
}

function faultOf({ framed }: Volley, statuses: readonly number[], closed: boolean): string | null {
  const wrong = statuses.find((status) => !ALLOWED.has(status))
  if (wrong !== undefined) return `answered ${wrong}`
  if (!closed) return 'the connection was not closed'
  const final = statuses.filter((status) => status >= 200)
  if (final.length < framed.length) {
    return `${framed.length} whole requests, ${final.length} answers`
  }
  return null
}

/** Sources of connections: each has its own ports, and those just used rest for a minute. */
const SOURCES = 100

function exchange({ seed, framed, last }: Volley, port: number) {
  return new Promise<{ text: string; closed: boolean }>((resolve) => {
    const localAddress = `127.0.0.${2 + (Math.abs(seed) % SOURCES)}`
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    let text = ''
    const conclude = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed })
    }
    const timer = setTimeout(conclude, CLOSED_BY_MS, false)
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
    socket.on('error', () => undefined)
    socket.once('end', () => { conclude(true) }) // prettier-ignore
    socket.once('close', () => { conclude(true) }) // prettier-ignore
    socket.end(Buffer.concat([...framed, last]))
  })
}
