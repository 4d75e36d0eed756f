import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { CommandError } from '../src/exit.js'
import { importFile, type ImportOptions } from '../src/import/importer.js'
import { linesOf, slicesOf, type Slice } from '../src/import/slices.js'

/** An intake as the contract describes it, that can be told to stop after so many lines. */
class FakeIntake {
  readonly stored: string[] = []
  readonly keys: string[] = []
  /** Lines that fit before it answers 503; Infinity: all. */
  room = Infinity
  /** The credentials are no longer those of a producer. */
  refuses = false
  /** Key and number of what is stored: the same line under both is stored once. */
  readonly #seen = new Set<string>()
  readonly server: Server

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const key = String(request.headers['idempotency-key'])
        const query = new URL(request.url ?? '', 'http://x').searchParams
        const first = Number(query.get('first_line') ?? 1)
        const { status, text } = this.#take(key, first, Buffer.concat(chunks).toString())
        response.writeHead(status, status === 503 ? { 'retry-after': '1' } : {}).end(text)
      })
    })
  }

  #take(key: string, first: number, body: string): { status: number; text: string } {
    if (this.refuses) return { status: 403, text: '{"error":{"message":"no"}}' }
    this.keys.push(key)
    const lines = body.slice(0, -1).split('\n')
    const taken = lines.slice(0, this.room)
    this.room -= taken.length
    const errors = taken.flatMap((line, i) =>
      line.includes('bad') ? [{ line: first + i, attribute: 'type', message: 'no' }] : [],
    )
    let accepted = 0
    for (const [i, line] of taken.entries()) {
      if (line.includes('bad') || line === '') continue
      accepted += 1
      const id = `${key}/${first + i}`
      if (!this.#seen.has(id)) this.stored.push(line)
      this.#seen.add(id)
    }
    const counts = { accepted, rejected: errors.length, errors }
    if (taken.length === lines.length) return { status: 200, text: JSON.stringify(counts) }
    const last = { last_line: first - 1 + taken.length }
    return { status: 503, text: JSON.stringify({ ...counts, ...last }) }
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
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

const line = (n: number) => `{"type":"customer","customer_id":"c${n}","ü":"€"}`
const lines = (n: number) => Array.from({ length: n }, (_, i) => line(i))

function options(file: string, more: Partial<ImportOptions> = {}): ImportOptions {
  return {
    file,
    target: { intakeUrl: intake.url, appId: 'APP', secret: 's' },
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    sleep: () => Promise.resolve(),
    show: () => undefined,
    waits: () => undefined,
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

it('a gzip file that is cut off names the file and what is imported of it', async () => {
  const file = join(folder, 'cut.ndjson.gz')
  const whole = gzipSync(lines(9_000).join('\n'))
  await writeFile(file, whole.subarray(0, whole.length - 2_000))
  const error = await importFile(options(file)).catch((found: unknown) => found as CommandError)
  expect(intake.stored.length).toBeGreaterThan(0)
  expect(error).toMatchObject({
    message: `${file} is not an intact gzip file (unexpected end of file); lines 1 to ${intake.stored.length.toLocaleString('en')} are imported.`,
    remedy: expect.stringContaining('Get the intact file') as string,
  })
})

it('a file that is only named .gz leaves no checkpoint that its correction would not fit', async () => {
  const file = join(folder, 'plain.ndjson.gz')
  await writeFile(file, lines(3).join('\n'))
  await expect(importFile(options(file))).rejects.toThrow(
    `${file} is not an intact gzip file (incorrect header check); no line was imported.`,
  )
  await writeFile(file, gzipSync(lines(3).join('\n')))
  expect(await importFile(options(file))).toMatchObject({ outcome: 'done', accepted: 3 })
})

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

it('without room waits, and resumes after the last accepted line', async () => {
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

it('a slice whose answer was lost is sent again under the same key and numbers', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(2_010).join('\n'))
  let requests = 0
  intake.server.on('request', (_request, response: { end(): void; destroy(): void }) => {
    if (++requests !== 2) return
    response.end = () => response.destroy()
  })
  expect(await importFile(options(file))).toMatchObject({ outcome: 'done', accepted: 2_010 })
  expect(intake.keys).toHaveLength(3)
  expect(new Set(intake.keys).size).toBe(1)
  expect(intake.stored).toEqual(lines(2_010))
})

it('the same file imported again on purpose is another import', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(10).join('\n'))
  await importFile(options(file))
  await importFile(options(file))
  expect(new Set(intake.keys).size).toBe(2)
  expect(intake.stored).toHaveLength(20)
})

it('every refused line is reported once with its place in the file, also after a death', async () => {
  const file = join(folder, 'f.ndjson')
  const all = lines(4_500)
  const bad = [0, 1_999, 2_000, 2_100, 4_499]
  for (const i of bad) all[i] = '{"bad":1}'
  await writeFile(file, all.join('\n'))
  let slices = 0
  const first = await importFile(options(file, { stopped: () => slices++ > 0 }))
  // As if it had died between the report and the checkpoint of its second slice.
  await appendFile(first.report, '{"line":2001,"attribute":"type","message":"no"}\n{"li')
  const result = await importFile(options(file))
  expect(result).toMatchObject({ accepted: 4_495, rejected: 5 })
  const report = (await readFile(result.report, 'utf8')).trimEnd().split('\n')
  expect(report.map((text) => (JSON.parse(text) as { line: number }).line)).toEqual(
    bad.map((i) => i + 1),
  )
  expect(report.map((text) => (JSON.parse(text) as { content: string }).content)).toEqual(
    bad.map(() => '{"bad":1}'),
  )
})

it('without any answer gives up soon; Ctrl-C ends any waiting', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(1).join('\n'))
  const waits: string[] = []
  const target = { intakeUrl: 'http://127.0.0.1:9', appId: 'APP', secret: 's' }
  const more = { target, waits: (why: string) => waits.push(why) }
  expect(await importFile(options(file, more))).toMatchObject({ outcome: 'unavailable' })
  expect(waits.length).toBeLessThan(10)
  expect(waits[0]).toContain('does not answer at http://127.0.0.1:9 (ECONNREFUSED)')
  expect(waits[0]).toContain('Next: start relay (npm start), or set its intake: --intake-url')
  let asked = 0
  const stopped = () => asked++ > 2
  expect(await importFile(options(file, { ...more, stopped }))).toMatchObject({
    outcome: 'stopped',
  })
})

describe('a checkpoint that does not fit', () => {
  let file: string
  const path = () => `${file}.checkpoint`
  const change = async (to: object) => {
    const stored = JSON.parse(await readFile(path(), 'utf8')) as object
    await writeFile(path(), JSON.stringify({ ...stored, ...to }))
  }

  beforeEach(async () => {
    file = join(folder, 'f.ndjson')
    await writeFile(file, lines(2_500).join('\n'))
    let slices = 0
    await importFile(options(file, { stopped: () => slices++ > 0 }))
  })

  it.each<[string, () => Promise<void>, RegExp]>([
    ['of a changed file', () => appendFile(file, '\n'), /written for another version of the file/],
    ['of a touched file', () => utimes(file, 1, 1), /written for another version of the file/],
    ['of another workspace', () => change({ appId: 'OTHER' }), /belongs to workspace OTHER/],
    ['of another relay', () => change({ version: 1 }), /written by another version of relay/],
    ['that is cut off', () => truncate(path(), 20), /cannot be read \(its content is damaged\)/],
    ['that is empty', () => truncate(path(), 0), /cannot be read/],
    ['that is other JSON', () => writeFile(path(), 'null'), /cannot be read/],
    ['without its key', () => change({ key: undefined }), /cannot be read/],
    ['with a position that is none', () => change({ lines: -1 }), /cannot be read/],
    ['that is a folder', () => rm(path()).then(() => mkdir(path())), /cannot be read \(EISDIR\)/],
  ])('%s ends the import, because lines would be stored twice', async (_name, spoil, words) => {
    await spoil()
    const stored = intake.stored.length
    const error: unknown = await importFile(options(file)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      status: 64,
      message: expect.stringMatching(words),
      remedy: expect.stringContaining('--restart'),
    })
    expect((error as Error).message).toContain(path())
    expect(intake.stored).toHaveLength(stored)
  })

  it('is ignored on request: a new import begins at line 1', async () => {
    await writeFile(file, lines(3).join('\n'))
    const result = await importFile(options(file, { restart: true }))
    expect(result).toMatchObject({ outcome: 'done', resumedAt: 0, lines: 3 })
    expect(new Set(intake.keys).size).toBe(2)
    expect(await readdir(folder)).toEqual(['f.ndjson'])
  })
})

it('an import that is refused before it stored anything leaves no checkpoint', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(3).join('\n'))
  intake.refuses = true
  await expect(importFile(options(file))).rejects.toThrow('answered 403')
  expect(await readdir(folder)).toEqual(['f.ndjson'])
})

it('an import that is refused after a stop keeps its checkpoint', async () => {
  const file = join(folder, 'f.ndjson')
  await writeFile(file, lines(3).join('\n'))
  intake.room = 1
  const sleep = () => {
    intake.refuses = true
    return Promise.resolve()
  }
  await expect(importFile(options(file, { sleep }))).rejects.toThrow('answered 403')
  expect(JSON.parse(await readFile(`${file}.checkpoint`, 'utf8'))).toMatchObject({ lines: 1 })
})

it('slices of the rest end where those of the whole file do', async () => {
  const all = Array.from({ length: 50 }, (_, i) => 'x'.repeat((i * 7) % 13))
  const bytes = Buffer.from(all.join('\n'))
  const ends = async (skip: number) => {
    const found: number[] = []
    const chunks = (async function* () {
      yield await Promise.resolve(bytes)
    })()
    for await (const { linesBefore, lines: own } of slicesOf(linesOf(chunks), skip, {
      lines: 6,
      bytes: 40,
    })) {
      found.push(linesBefore + own.length)
    }
    return found
  }
  const whole = await ends(0)
  for (let skip = 0; skip < 50; skip += 1) {
    expect(await ends(skip)).toEqual(whole.filter((end) => end > skip))
  }
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
