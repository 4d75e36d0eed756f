import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { ImportSource, PACE_BYTES } from '../../src/http/import-source.js'

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

it('a caller that keeps the pace may go on for ever, however slow each part is', async () => {
  const next = source(900, PACE_BYTES)
  for (let i = 0; i < 50; i += 1) expect((await next()).kind).toBe('data')
})
