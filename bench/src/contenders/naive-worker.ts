/** A standard Worker that sends one request per element, a hundred at a time. */
import { Agent, request } from 'node:http'
import { Worker } from 'bullmq'
import { NAIVE_QUEUE } from './names.js'

const CONCURRENCY = 100
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
const headers = {
  'content-type': 'application/json',
  authorization: `Basic ${Buffer.from('BENCH:key').toString('base64')}`,
}

function send(element: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent, headers }
    const sent = request(`${process.env.SINK_URL ?? ''}/v1/event/BENCH`, options, (response) => {
      response.resume()
      response.on('end', resolve)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(element))
  })
}

new Worker(NAIVE_QUEUE, ({ data }) => send(data), {
  connection: { url: process.env.REDIS_URL ?? '' },
  concurrency: CONCURRENCY,
  removeOnComplete: { count: 0 },
})
