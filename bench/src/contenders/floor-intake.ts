/** The least that an intake can do: parse the body, push it to a list, answer. */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'

const redis = new Redis(process.env.REDIS_URL ?? '', { enableAutoPipelining: true })

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    JSON.parse(body.toString('utf8'))
    void redis.rpush('floor:posts', body).then(() => response.end('{"status":"success"}'))
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
