/**
 * A producer that wants all there is, in a process of its own so that it does not slow down who
 * measures: `flooder.ts PORT FLOOD SECONDS` prints how often it was answered what.
 */
import { connect, type Socket } from 'node:net'
import { GOOD_BODY, post } from './bytes.js'
import { FLOODS, isFlood } from './floods.js'

const [port, flood = '', seconds] = process.argv.slice(2)
if (!isFlood(flood)) throw new Error(`no flood is called ${flood}`)
const { connections, body } = FLOODS[flood]
const answers = new Map<string, number>()
const sockets: Socket[] = []
const good = post(GOOD_BODY, { keepAlive: true })
// A byte is missing: it is held until its time is over.
const unended = body > 0 ? post(Buffer.alloc(body, 'x'), { keepAlive: true }).subarray(0, -1) : null

for (let i = 0; i < connections; i++) {
  const socket = connect(Number(port), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1]
    if (status === undefined) return
    answers.set(status, (answers.get(status) ?? 0) + 1)
    if (unended === null && socket.writable) socket.write(good)
  })
  socket.write(unended ?? good)
}
setTimeout(
  () => {
    for (const socket of sockets) socket.destroy()
    process.stdout.write(`${JSON.stringify(Object.fromEntries(answers))}\n`)
  },
  Number(seconds) * 1_000,
)
