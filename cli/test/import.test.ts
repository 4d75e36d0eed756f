import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { importFile, type ImportOptions } from '../src/import/importer.js'
import { linesOf, slicesOf, type Slice } from '../src/import/slices.js'

/** An intake as the contract describes it, that can be told to stop after so many lines. */
class FakeIntake {
  readonly stored: string[] = []
  readonly keys: string[] = []
  /** Lines that fit before it answers 503; Infinity: all. */
  room = Infinity
  #answered = new Map<string, string>()
  readonly server: Server

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const key = String(request.headers['idempotency-key'])
        const { status, text } = this.#take(key, Buffer.concat(chunks).toString())
        response.writeHead(status).end(text)
      })
    })
  }

  #take(key: string, body: string): { status: number; text: string } {
    this.keys.push(key)
    const before = this.#answered.get(key)
    if (before !== undefined) return { status: 200, text: before }
    const lines = body.slice(0, -1).split('\n')
    const taken = lines.slice(0, this.room)
    this.room -= taken.length
    const errors = taken.flatMap((line, i) =>
      line.includes('bad') ? [{ line: i + 1, attribute: 'type', message: 'no' }] : [],
    )
    const good = taken.filter((line) => !line.includes('bad') && line !== '')
    this.stored.push(...good)
    const counts = { accepted: good.length, rejected: errors.length, errors }
    if (taken.length < lines.length) {
      return { status: 503, text: JSON.stringify({ ...counts, last_line: taken.length }) }
    }
    this.#answered.set(key, JSON.stringify(counts))
    return { status: 200, text: JSON.stringify(counts) }
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`
  }
}

let intake: FakeIntake
let folder: string

beforeEach(async () => {
  intake = new FakeIntake()
  await new Promise<void>((resolve) => intake.server.listen(0, '127.0.0.1', resolve))
  folder = await mkdtemp(join(tmpdir(), 'relay-import-'))
})
afterEach(async () => {
  intake.server.closeAllConnections()
  await new Promise((resolve) => intake.server.close(resolve))
  await rm(folder, { recursive: true })
})

const line = (n: number) => `{"type":"customer","customer_id":"c${String(n)}","ü":"€"}`
const lines = (n: number) => Array.from({ length: n }, (_, i) => line(i))

function options(file: string, more: Partial<ImportOptions> = {}): ImportOptions {
  return {
    file,
    target: { intakeUrl: intake.url, appId: 'APP', secret: 's' },
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    sleep: () => Promise.resolve(),
    show: () => undefined,
    stopped: () => false,
    ...more,
  }
}

it.each(['plain.ndjson', 'packed.ndjson.gz'])(
  'every line of %s arrives once, in order',
  async (name) => {
    const file = join(folder, name)
    const text = `${lines(4_500).join('\n')}\n`
    await writeFile(file, name.endsWith('.gz') ? gzipSync(text) : text)
    const result = await importFile(options(file))
    expect(result).toMatchObject({ outcome: 'done', accepted: 4_500, rejected: 0, lines: 4_500 })
    expect(intake.stored).toEqual(lines(4_500))
    await expect(readFile(`${file}.checkpoint`)).rejects.toThrow('ENOENT')
  },
)

it('stopped and started again, delivers every line exactly once', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(5_000).join('\n'))
  let slices = 0
  const first = await importFile(options(file, { stopped: () => slices++ > 0 }))
  expect(first).toMatchObject({ outcome: 'stopped', lines: 2_000 })
  const second = await importFile(options(file))
  expect(second).toMatchObject({ outcome: 'done', resumedAt: 2_000, accepted: 5_000 })
  expect(intake.stored).toEqual(lines(5_000))
})

it('without room waits, and goes on behind the last line that was taken', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(3_000).join('\n'))
  intake.room = 1_234
  const sleep = () => {
    intake.room = Infinity
    return Promise.resolve()
  }
  expect(await importFile(options(file, { sleep }))).toMatchObject({ outcome: 'done' })
  expect(intake.stored).toEqual(lines(3_000))
})

it('a slice whose answer was lost is sent again under the same key', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(10).join('\n'))
  intake.server.once('request', (_request, response: { destroy(): void }) => {
    setImmediate(() => {
      response.destroy()
    })
  })
  expect(await importFile(options(file))).toMatchObject({ outcome: 'done', accepted: 10 })
  expect(new Set(intake.keys).size).toBe(1)
  expect(intake.stored).toEqual(lines(10))
})

it('refused lines are reported with their place in the file', async () => {
  const file = join(folder, 'f.ndjson')
  const all = lines(2_500)
  all[2_100] = '{"bad":1}'
  await writeFile(file, all.join('\n'))
  const result = await importFile(options(file))
  expect(result).toMatchObject({ accepted: 2_499, rejected: 1 })
  expect(JSON.parse(await readFile(result.report, 'utf8'))).toMatchObject({ line: 2_101 })
})

it('a changed file starts anew', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(2_500).join('\n'))
  let slices = 0
  await importFile(options(file, { stopped: () => slices++ > 0 }))
  await writeFile(file, lines(3).join('\n'))
  expect(await importFile(options(file))).toMatchObject({ resumedAt: 0, lines: 3 })
})

it('slices join to the text, however it is cut into chunks', async () => {
  const text = fc.stringMatching(/^[ab\n€]{0,60}$/)
  const cut = fc.integer({ min: 1, max: 7 })
  await fc.assert(
    fc.asyncProperty(text, cut, cut, fc.nat(5), async (whole, size, most, skip) => {
      const bytes = Buffer.from(whole)
      async function* chunks() {
        for (let at = 0; at < bytes.length; at += size) {
          yield await Promise.resolve(bytes.subarray(at, at + size))
        }
      }
      const slices: Slice[] = []
      for await (const slice of slicesOf(linesOf(chunks()), skip, { lines: most, bytes: 20 })) {
        expect(slice.linesBefore).toBe(skip + slices.flatMap((s) => s.lines).length)
        expect(slice.lines.length).toBeLessThanOrEqual(most)
        slices.push(slice)
      }
      const expected = whole.split('\n')
      if (expected.at(-1) === '') expected.pop()
      const found = slices.flatMap((slice) => slice.lines.map((l) => l.toString()))
      expect(found).toEqual(expected.slice(skip))
    }),
  )
})
