import { createReadStream } from 'node:fs'
import { appendFile, stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Clock } from '@relay/shared/clock.js'
import { CheckpointFile, type Checkpoint } from './checkpoint.js'
import { progressLine } from './progress.js'
import { linesOf, slicesOf, type Slice } from './slices.js'
import { sendSlice, type ImportTarget, type RefusedLine } from './upload.js'

export interface ImportOptions {
  readonly file: string
  readonly target: Omit<ImportTarget, 'fingerprint'>
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly show: (line: string) => void
  /** A person wants it to end: what is under way is finished first. */
  readonly stopped: () => boolean
}

export interface ImportResult extends Checkpoint {
  readonly outcome: 'done' | 'stopped' | 'unavailable'
  readonly resumedAt: number
  /** File with the refused lines, when there are any. */
  readonly report: string
}

const SLICE = { lines: 2_000, bytes: 1_000_000 }
const AGAIN_MS = [500, 1_000, 2_000, 5_000, 5_000, 10_000, 10_000, 15_000, 15_000, 15_000]

/** Sends a file line by line to the backfill lane; a run that was stopped is gone on with. */
export async function importFile(options: ImportOptions): Promise<ImportResult> {
  const { file, clock, show, stopped } = options
  const checkpoints = await CheckpointFile.of(file)
  const run = await ImportRun.begin(options, checkpoints)
  const linesBefore = run.state.lines
  const source = await open(file)
  const startedMs = clock.monotonicMs()
  let shareBefore: number | null = null
  let outcome: ImportResult['outcome'] = 'done'
  for await (const slice of slicesOf(linesOf(source.chunks), linesBefore, SLICE)) {
    shareBefore ??= linesBefore === 0 ? 0 : source.share()
    outcome = stopped() ? 'stopped' : await run.send(slice)
    if (outcome !== 'done') break
    const { lines, rejected } = run.state
    const elapsedMs = clock.monotonicMs() - startedMs
    const share = source.share()
    show(progressLine({ share, shareBefore, lines, linesBefore, rejected, elapsedMs }))
  }
  source.close()
  if (outcome === 'done') await checkpoints.remove()
  return { ...run.state, outcome, resumedAt: linesBefore, report: run.report }
}

/** The part of an import that changes: what is sent, and the checkpoint that says so. */
class ImportRun {
  state: Checkpoint
  readonly report: string
  readonly #options: ImportOptions
  readonly #checkpoints: CheckpointFile

  private constructor(options: ImportOptions, checkpoints: CheckpointFile, state: Checkpoint) {
    this.#options = options
    this.#checkpoints = checkpoints
    this.state = state
    this.report = `${options.file}.refused.ndjson`
  }

  static async begin(options: ImportOptions, checkpoints: CheckpointFile): Promise<ImportRun> {
    const { appId } = options.target
    const kept = await checkpoints.read(appId)
    const start = { appId, lines: 0, accepted: 0, rejected: 0 }
    return new ImportRun(options, checkpoints, kept ?? start)
  }

  /** Sends a slice whole; relay may take it in several parts. */
  async send(slice: Slice): Promise<ImportResult['outcome']> {
    const target = { ...this.#options.target, fingerprint: this.#checkpoints.fingerprint }
    for (let rest: Slice | null = slice; rest !== null;) {
      const sent = await sendPatiently(this.#options, target, rest)
      if (sent === null) return this.#options.stopped() ? 'stopped' : 'unavailable'
      await noteRefused(this.report, sent.refused)
      this.state = advanced(this.state, sent)
      await this.#checkpoints.write(this.state)
      rest = remainder(rest, sent.lines)
    }
    return 'done'
  }
}

async function sendPatiently(options: ImportOptions, target: ImportTarget, slice: Slice) {
  for (const waitMs of [...AGAIN_MS, 0]) {
    const sent = await sendSlice(target, slice)
    if (sent !== null || options.stopped()) return sent
    await options.sleep(waitMs)
  }
  return null
}

function advanced(
  state: Checkpoint,
  sent: { lines: number; accepted: number; rejected: number },
): Checkpoint {
  return {
    appId: state.appId,
    lines: state.lines + sent.lines,
    accepted: state.accepted + sent.accepted,
    rejected: state.rejected + sent.rejected,
  }
}

function remainder({ linesBefore, lines }: Slice, done: number): Slice | null {
  if (done >= lines.length) return null
  return { linesBefore: linesBefore + done, lines: lines.slice(done) }
}

async function noteRefused(report: string, refused: readonly RefusedLine[]): Promise<void> {
  if (refused.length === 0) return
  await appendFile(report, refused.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** The file's bytes, unpacked if packed, and how far it is read. */
async function open(file: string) {
  const { size } = await stat(file)
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 })
  const chunks: AsyncIterable<Buffer> = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // A pipe passes no errors on.
  raw.on('error', (error) => {
    if (file.endsWith('.gz')) (chunks as unknown as { destroy(e: Error): void }).destroy(error)
  })
  return {
    chunks,
    share: () => (size === 0 ? 1 : raw.bytesRead / size),
    close: () => raw.destroy(),
  }
}
