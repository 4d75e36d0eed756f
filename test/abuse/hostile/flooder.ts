/**
 * A producer that uses all it can get, in its own process so that it does not slow down who
 * measures: `flooder.ts PORT FLOOD SECONDS HOLD_SECONDS` prints how often it was answered what.
 */
import { basicAuth } from '@relay/shared/process/http-call.js'
import { connect, type Socket } from 'node:net'
import { APP_ID } from '../../support/relay.js'
import { AUTH, head, JSON_TYPE, post } from './bytes.js'
import { FLOODS, isFlood, WAVE_MS } from './floods.js'

const [port, flood = '', seconds, holdSeconds] = process.argv.slice(2)
if (!isFlood(flood)) throw new Error(`no flood is called ${flood}`)
const { connections, secrets, bodies, gzip, unended, once, unread } = FLOODS[flood]
const answers = new Map<string, number>()
const sockets: Socket[] = []
const headers = gzip ? [JSON_TYPE, 'Content-Encoding: gzip'] : [JSON_TYPE]
const requests = secrets.map((secret) => {
  const auth = `Authorization: ${basicAuth(APP_ID, secret)}`
  return bodies.map((body) => post(body, { auth, headers, keepAlive: true }))
})
let sent = 0

function requestOf(connection: number): Buffer {
  const own = requests[connection % requests.length] ?? []
  return own[sent++ % own.length] ?? Buffer.alloc(0)
}

function open(i: number): void {
  const socket = connect(Number(port), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1]
    if (status === undefined) return
    answers.set(status, (answers.get(status) ?? 0) + 1)
    if (!unended && !once && socket.writable) socket.write(requestOf(i))
  })
  const first = requestOf(i)
  // A byte is missing: it is held until its time is over.
  socket.write(unended ? first.subarray(0, -1) : first)
}
/** Sends all requests at once, and reads nothing. */
function openUnread(requests: string): void {
  const socket = connect(Number(port), '127.0.0.1').pause()
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.write(requests)
}

const endMs = performance.now() + Number(seconds) * 1_000
if (unread === undefined) for (let i = 0; i < connections; i++) open(i)
else {
  const headers = unread.known ? [AUTH] : []
  const requests = head(`GET ${unread.path} HTTP/1.1`, ...headers).repeat(unread.times)
  const wave = setInterval(() => {
    if (performance.now() > endMs) clearInterval(wave)
    else for (let i = 0; i < connections; i++) openUnread(requests)
  }, WAVE_MS)
}
setTimeout(
  () => {
    for (const socket of sockets) socket.destroy()
    process.stdout.write(`${JSON.stringify(Object.fromEntries(answers))}\n`)
  },
  (Number(seconds) + (unread === undefined ? 0 : Number(holdSeconds))) * 1_000,
)
