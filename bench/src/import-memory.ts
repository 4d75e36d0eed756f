/**
 * How much memory an api needs for an import, which has no end to its length: streams a million
 * lines into one api with a Redis of its own, and prints the most that the process held.
 *
 *   node dev/bin/run.mjs bench/src/import-memory.ts [lines]
 */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ROOT } from '@relay/dev/folders.js'
import { startChild } from '@relay/dev/process/child.js'
import { freePort } from '@relay/dev/process/port.js'
import { startRedis } from '@relay/dev/redis/test-redis.js'
import { systemClock } from '@relay/shared/clock.js'

const APP = 'IMPORT'
const SAMPLE_MS = 100
const LINES_PER_CHUNK = 500

/** About 300 bytes each, of 100,000 customers. */
function* lines(count: number): Generator<string> {
  for (let from = 0; from < count; from += LINES_PER_CHUNK) {
    const size = Math.min(LINES_PER_CHUNK, count - from)
    yield Array.from({ length: size }, (_, i) => line(from + i)).join('')
  }
}

function line(number: number): string {
  const element = {
    type: 'customer',
    customer_id: `customer-${String(number % 100_000)}`,
    attributes: {
      first_name: `Name ${String(number)}`,
      email: `customer${String(number)}@shop.example`,
      city: 'Thessaloniki',
      orders: number % 37,
      last_order: '2026-11-23T12:00:00.000Z',
      interests: ['shoes', 'books', 'garden'],
      note: 'x'.repeat(60),
    },
  }
  return `${JSON.stringify(element)}\n`
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

function post(port: number, count: number): Promise<{ status: number; text: string }> {
  const authorization = `Basic ${Buffer.from(`${APP}:secret`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/x-ndjson' }
  const path = `/v1/import/${APP}`
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => { resolve({ status: response.statusCode ?? 0, text }) }) // prettier-ignore
    })
    sent.on('error', reject)
    Readable.from(lines(count)).pipe(sent)
  })
}

async function main(count: number): Promise<void> {
  const redis = await startRedis({ appendonly: 'everysec' })
  const [port, opsPort] = [await freePort(), await freePort()]
  const api = await startChild({
    name: 'api',
    entry: join(ROOT, 'services/api/dist/main.js'),
    env: {
      REDIS_URL: redis.url,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      MOENGAGE_APP_ID: APP,
      MOENGAGE_API_KEY: 'key',
      MOENGAGE_BASE_URL: 'http://127.0.0.1:9',
      RELAY_PRODUCERS: 'bench:secret',
    },
  })
  await api.waitUntilReady(`http://127.0.0.1:${String(opsPort)}/readyz`)
  const before = await residentBytes(api.pid)
  let most = before
  const sampler = setInterval(() => {
    void residentBytes(api.pid).then((bytes) => (most = Math.max(most, bytes)))
  }, SAMPLE_MS)
  const startedMs = systemClock.monotonicMs()
  const { status, text } = await post(port, count)
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000
  clearInterval(sampler)
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
  console.log(`${String(status)} ${text.slice(0, 200)}`)
  console.log(
    `${String(count)} lines in ${seconds.toFixed(1)} s: ${(count / seconds).toFixed(0)}/s`,
  )
  console.log(`memory of the api: ${mb(before)} before, at most ${mb(most)}`)
  await api.stop()
  await redis.stop()
}

await main(Number(process.argv[2] ?? 1_000_000))
