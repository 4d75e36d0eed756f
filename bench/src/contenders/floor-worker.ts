/** The least that a worker can do: pop elements ready to be sent, join them, send full requests. */
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { APP_ID, FLOOR_LIST } from './names.js'

/** So many elements about fill a request. */
const PER_REQUEST = Number(process.env.PER_REQUEST)
const AT_ONCE = 4
const redis = new Redis(process.env.REDIS_URL ?? '')
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
const HEAD = Buffer.from('{"type":"transition","elements":[')
const COMMA = Buffer.from(',')
const TAIL = Buffer.from(']}')

function send(elements: readonly Buffer[]): Promise<void> {
  const parts = elements.flatMap((element, i) => (i === 0 ? [HEAD, element] : [COMMA, element]))
  const body = Buffer.concat([...parts, TAIL])
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const url = `${process.env.SINK_URL ?? ''}/v1/transition/${APP_ID}`
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', resolve)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function run(): Promise<never> {
  for (;;) {
    const popped = await redis.lmpopBuffer(1, FLOOR_LIST, 'LEFT', 'COUNT', PER_REQUEST)
    const elements = popped?.[1]
    if (elements === undefined) await sleep(20)
    else await send(elements)
  }
}
for (let i = 0; i < AT_ONCE; i++) void run()
