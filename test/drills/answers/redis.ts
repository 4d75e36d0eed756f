import type { LogRecord } from '@relay/tools/process/child.js'
import { freePort, LOOPBACK } from '@relay/tools/process/port.js'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Console } from './console.js'
import type { Line, Seen } from './line.js'
import { linesWith, logLines, Place, runRelay, TOKEN } from './place.js'

const isTold = ({ level }: LogRecord) => level === 'error' || level === 'warn'
const FACTS = ['problem', 'next', 'text', 'afterMs']
const STOP_MS = 14_000

const urlWith = (port: number, password = '') =>
  `redis://${password === '' ? '' : `:${password}@`}${LOOPBACK}:${port}`

/** What is said by an api that cannot use its Redis. */
async function without(services: Parameters<typeof Place.start>[0]): Promise<Seen> {
  const place = await Place.start({ ...services, withoutWorker: true })
  try {
    await place.api.waitForLine(/Redis is unavailable/)
    const status = await place.relay(['status'])
    const ready = await place.get('apiOps', '/readyz')
    const check = await runRelay(['check'], place.env)
    return {
      log: logLines(place.api.logs(), isTold, FACTS),
      readyz: `${ready.status} ${ready.text}`,
      status: `${status.text.replaceAll('\n', ' / ')} (exit ${status.code})`,
      check: linesWith(check.text, 'FAIL', 'Next'),
    }
  } finally {
    await place.stop()
  }
}

const BEFORE = 'the log says only "started", `/readyz` "reconnecting".'

const wrongPassword: Line = {
  ...{ lines: [4], before: `Wrong password of Redis: ${BEFORE}` },
  see: () => without({ password: 'right', redisUrl: (port) => urlWith(port, 'wrong') }),
}

const noPassword: Line = {
  ...{ lines: [4], before: `No password for Redis: ${BEFORE}` },
  see: () => without({ password: 'right', redisUrl: (port) => urlWith(port) }),
}

const closedPort: Line = {
  ...{ lines: [4], before: `Closed port of Redis: ${BEFORE}` },
  see: async () => {
    const port = await freePort()
    return without({ redisUrl: () => urlWith(port) })
  },
}

const notRedis: Line = {
  ...{
    lines: [4],
    before: 'Another server at the address of Redis: "cannot be used (undefined)".',
  },
  see: async () => {
    const other = createServer((_request, response) => response.end())
    await new Promise<void>((resolve) => other.listen(0, LOOPBACK, resolve))
    const { port } = other.address() as AddressInfo
    const seen = await without({ redisUrl: () => urlWith(port) })
    other.close()
    return seen
  },
}

const replica: Line = {
  lines: [4],
  before:
    'A read-only replica: no line in the log, `/readyz` and `relay check` say that all is well, and every post gets 503.',
  see: () => without({ isReplica: true }),
}

const plainText: Line = {
  ...{ lines: [4], before: "ioredis' plain-text warnings in the JSON log." },
  see: async () => {
    const place = await Place.start({ redisUrl: (port) => urlWith(port, 'needless') })
    const lines = [...place.api.lastLines(), ...place.worker.lastLines()]
    const plain = lines.filter((line) => !line.startsWith('{')).length
    await place.stop()
    return {
      log: logLines(place.api.logs(), isTold, FACTS),
      count: `${plain} of ${lines.length} lines are plain text`,
    }
  },
}

const stopped: Line = {
  lines: [4, 5],
  before:
    'A stop of Redis of 14 s leaves no line in the log; the console shows an empty sign-in form.',
  see: async () => {
    const place = await Place.start()
    const view = await Console.open(place.url('apiOps'), TOKEN)
    await view.read('.card')
    place.redis.pause()
    const post = await place.post()
    await post.text()
    const connection = await view.read('#connection', /^(?!live)/)
    // It is how long Redis stops that is tried.
    await sleep(STOP_MS)
    await view.page.reload()
    const reloaded = await view.read('header, main, #notice', /Redis/)
    const ready = await place.get('apiOps', '/readyz')
    const worker = await place.get('workerOps', '/readyz')
    place.redis.resume()
    await place.api.waitForLine(/Redis is available again/)
    await place.worker.waitForLine(/Redis is available again/)
    await view.close()
    const isAbout = ({ message }: LogRecord) => String(message).startsWith('Redis')
    const log = logLines(place.api.logs(), isAbout, FACTS)
    const workerLog = logLines(place.worker.logs(), isAbout, FACTS)
    await place.stop()
    return {
      ...{ 'log of the api': log, 'log of the worker': workerLog },
      ...{ console: connection, 'console after a reload': reloaded },
      'readyz of the api': `${ready.status} ${ready.text}`,
      'readyz of the worker': `${worker.status} ${worker.text}`,
    }
  },
}

const killed: Line = {
  lines: [10],
  before:
    'api readiness depends on Redis: all endpoints vanish, so producers get connection errors where relay would answer 503 with Retry-After.',
  see: async () => {
    const place = await Place.start()
    await place.redis.kill9()
    await place.api.waitForLine(/Redis is unavailable/)
    const ready = await place.get('apiOps', '/readyz')
    const post = await place.post()
    const after = post.headers.get('retry-after') ?? 'none'
    const answer = await post.text()
    await place.stop()
    return {
      readyz: `${ready.status} ${ready.text}`,
      post: `${post.status}, Retry-After: ${after}, ${answer}`,
    }
  },
}

export const REDIS_LINES: readonly Line[] = [
  ...[wrongPassword, noPassword, closedPort, notRedis, replica, plainText],
  ...[stopped, killed],
]
