/**
 * Takes bulk and single requests as MoEngage would, and looks at nothing but their sizes: so cheap
 * that it is not what is measured. A separate process; its processor time is not counted.
 */
import { createServer } from 'node:http'

/** Each element of the shop has one. */
const MARK = '"customer_id":'
const ANSWER =
  '{"status":"success","message":"Your request has been accepted and will be processed soon."}'

export interface SinkTotals {
  requests: number
  bodyBytes: number
  elements: number
  largestBody: number
}

const fresh = (): SinkTotals => ({ requests: 0, bodyBytes: 0, elements: 0, largestBody: 0 })
let totals = fresh()

function countMarks(body: Buffer): number {
  let count = 0
  for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + MARK.length)) count++
  return count
}

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  if (request.method === 'GET') {
    const known = JSON.stringify(totals)
    if (request.url === '/totals?reset') totals = fresh()
    response.end(known)
    return
  }
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    totals.requests += 1
    totals.bodyBytes += body.length
    totals.elements += countMarks(body)
    totals.largestBody = Math.max(totals.largestBody, body.length)
    response.setHeader('content-type', 'application/json')
    response.end(ANSWER)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
