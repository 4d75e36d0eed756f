import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { ImportSource, MAX_RATIO, PACE_BYTES } from '../../src/http/import-source.js'

/** A caller whose bytes arrive `everyMs` after relay asks for them. */
function source(everyMs: number, bytes: number) {
  const body = new PassThrough()
  let nowMs = 0
  const clock = {
    nowMs: () => 0,
    monotonicMs: () => nowMs,
  }
  const stopping = new AbortController().signal
  const own = new ImportSource(body as unknown as IncomingMessage, {
    gzip: false,
    idleMs: 1_000,
    stopping,
    clock,
  })
  return async () => {
    const next = own.next()
    nowMs += everyMs
    body.write(Buffer.alloc(bytes))
    return next
  }
}

it('a caller that drips is ended once it has made relay wait for the time of its pace', async () => {
  const next = source(400, 10)
  expect((await next()).kind).toBe('data')
  expect((await next()).kind).toBe('data')
  expect((await next()).kind).toBe('data')
  expect(await next()).toMatchObject({ kind: 'fault', refusal: { status: 408 } })
})

it('a caller that keeps the pace may continue for any time, however slow each part is', async () => {
  const next = source(900, PACE_BYTES)
  for (let i = 0; i < 50; i += 1) expect((await next()).kind).toBe('data')
})

/** The result of a whole gzip body: its size if it was read to its end, or the refusal's status. */
async function unpacked(packed: Buffer): Promise<number> {
  const body = Object.assign(new PassThrough(), { complete: true })
  const own = new ImportSource(body as unknown as IncomingMessage, {
    gzip: true,
    idleMs: 60_000,
    stopping: new AbortController().signal,
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
  })
  body.end(packed)
  for (;;) {
    const chunk = await own.next()
    if (chunk.kind === 'fault') return chunk.refusal.status
    if (chunk.kind !== 'data') return own.bodyBytes
  }
}

it('a body that decompresses to far more than was sent is refused; what is packed as JSON is, passes', async () => {
  const line = (n: number) =>
    `{"type":"customer","customer_id":"c-${n}","attributes":{"padding":"${'x'.repeat(180)}"}}\n`
  const lines = Buffer.from(Array.from({ length: 20_000 }, (_, n) => line(n)).join(''))
  const packed = gzipSync(lines)
  expect(lines.length / packed.length).toBeGreaterThan(MAX_RATIO / 8)
  expect(await unpacked(packed)).toBe(lines.length)
  expect(await unpacked(gzipSync(Buffer.alloc(50_000_000)))).toBe(413)
  // Small enough to do no harm at any ratio.
  expect(await unpacked(gzipSync(Buffer.alloc(900_000)))).toBe(900_000)
})
