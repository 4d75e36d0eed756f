import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat, appendFile, rm, truncate, readFile, rename, writeFile } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { Clock } from '@relay/shared/clock.js'
import { CommandError, EXIT } from '../exit.js'
import { count, printable } from '../render/table.js'
import type { Progress } from './display.js'
import { linesOf, slicesOf, type Slice } from './slices.js'
import {
  sendSlice,
  type ImportTarget,
  type SliceResult,
  type RefusedLine,
  type Stop,
} from './upload.js'

export interface ImportOptions {
  readonly file: string
  readonly target: ImportTarget
  readonly clock: Clock
  readonly sleep: (ms: number) => Promise<void>
  readonly show: (progress: Progress) => void
  /** relay cannot continue now, and the import waits for it. */
  readonly waits: (why: string) => void
  /** Ignores a checkpoint, and begins at the first line under a new key. */
  readonly restart?: boolean
  /** The user stops it: the current request is finished first. */
  readonly stopped: () => boolean
}

export interface ImportResult extends Pick<
  Checkpoint,
  'appId' | 'lines' | 'accepted' | 'rejected'
> {
  readonly outcome: 'done' | 'stopped' | 'unavailable'
  readonly resumedAt: number
  /** File with the refused lines, when there are any. */
  readonly report: string
}

const SLICE = { lines: 2_000, bytes: 1_000_000 }

/** Sends a file line by line to the backfill lane; resumes a run that was stopped. */
export async function importFile(options: ImportOptions): Promise<ImportResult> {
  const { file, clock, show, stopped } = options
  const checkpoints = await CheckpointFile.of(file)
  const run = await ImportRun.begin(options, checkpoints)
  const linesBefore = run.state.lines
  const source = await open(file)
  let outcome: ImportResult['outcome'] = 'done'
  try {
    for await (const slice of slicesOf(linesOf(source.chunks), linesBefore, SLICE)) {
      outcome = stopped() ? 'stopped' : await run.send(slice)
      if (outcome !== 'done') break
      const { lines, rejected } = run.state
      show({ share: source.share(), lines, rejected, nowMs: clock.monotonicMs() })
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    await run.forgetUnsent()
    throw damaged(file, error, run.state.lines)
  } finally {
    source.close()
  }
  if (outcome === 'done') await checkpoints.remove()
  const { appId, lines, accepted, rejected } = run.state
  const counts = { appId, lines, accepted, rejected }
  return { ...counts, outcome, resumedAt: linesBefore, report: run.report }
}

/** Of a file that is not what its name says, or is cut off. */
function isDamage(error: unknown): error is NodeJS.ErrnoException {
  return String((error as NodeJS.ErrnoException | null)?.code).startsWith('Z_')
}

function damaged(file: string, { message }: Error, lines: number): CommandError {
  const what = `${file} is not an intact gzip file (${message})`
  if (lines === 0) {
    const next = 'Compress it again; a file that is not compressed must not be named .gz.'
    return new CommandError(EXIT.wrong, `${what}; no line was imported.`, next)
  }
  return new CommandError(
    EXIT.wrong,
    `${what}; lines 1 to ${count(lines)} are imported.`,
    `Get the intact file, and import what follows line ${count(lines)} as another file.`,
  )
}

/** The state of an import: what is sent, and the checkpoint that records it. */
class ImportRun {
  state: Checkpoint
  readonly #options: ImportOptions
  readonly #checkpoints: CheckpointFile
  readonly #report: RefusedReport
  readonly #patience: Patience
  /** Lines may be stored under the key; without any, no checkpoint is needed. */
  #isBegun: boolean

  private constructor(
    options: ImportOptions,
    checkpoints: CheckpointFile,
    report: RefusedReport,
    { state, isBegun }: { readonly state: Checkpoint; readonly isBegun: boolean },
  ) {
    this.#isBegun = isBegun
    this.#options = options
    this.#checkpoints = checkpoints
    this.#report = report
    this.#patience = new Patience(options)
    this.state = state
  }

  /** Resumes from the checkpoint, or starts an import under a new key. */
  static async begin(options: ImportOptions, checkpoints: CheckpointFile): Promise<ImportRun> {
    const { appId } = options.target
    const kept = options.restart ? null : await checkpoints.read(appId)
    const key = `import-${randomBytes(18).toString('base64url')}`
    const state = kept ?? { appId, key, lines: 0, accepted: 0, rejected: 0, reportBytes: 0 }
    const report = await RefusedReport.open(`${options.file}.refused.ndjson`, state.reportBytes)
    // Before the first line is sent: without its key it could not be recognised.
    if (kept === null) await checkpoints.write(state)
    return new ImportRun(options, checkpoints, report, { state, isBegun: kept !== null })
  }

  get report(): string {
    return this.#report.path
  }

  /** Sends a whole slice; relay may accept it in several parts. */
  async send(slice: Slice): Promise<ImportResult['outcome']> {
    for (let rest: Slice | null = slice; rest !== null;) {
      const sent = await this.#sendOnce(rest)
      if (sent.lines > 0) await this.#note(sent, rest)
      rest = remainder(rest, sent.lines)
      if (sent.stop === null) this.#patience.renew()
      else if (rest !== null) {
        if (sent.lines > 0) this.#patience.renew()
        const goesOn = await this.#patience.wait(sent.stop)
        if (!goesOn) return this.#options.stopped() ? 'stopped' : 'unavailable'
      }
    }
    return 'done'
  }

  async #sendOnce(slice: Slice): Promise<SliceResult> {
    try {
      const sent = await sendSlice(this.#options.target, this.state.key, slice)
      this.#isBegun = true
      return sent
    } catch (error) {
      // Refused at once, so the next try may name another workspace.
      await this.forgetUnsent()
      throw error
    }
  }

  /** Without a line that may be stored, no checkpoint is needed. */
  async forgetUnsent(): Promise<void> {
    if (!this.#isBegun) await this.#checkpoints.remove()
  }

  async #note(
    { lines, accepted, rejected, refused }: SliceResult,
    { linesBefore, lines: sent }: Slice,
  ): Promise<void> {
    // With the line itself, so that it can be corrected without a search in the file.
    const reported = refused.map((one) => ({
      ...one,
      content: sent[one.line - linesBefore - 1]?.toString('utf8') ?? '',
    }))
    await this.#report.add(reported)
    this.state = {
      ...this.state,
      lines: this.state.lines + lines,
      accepted: this.state.accepted + accepted,
      rejected: this.state.rejected + rejected,
      reportBytes: this.#report.bytes,
    }
    await this.#checkpoints.write(this.state)
  }
}

function remainder({ linesBefore, lines }: Slice, done: number): Slice | null {
  if (done >= lines.length) return null
  return { linesBefore: linesBefore + done, lines: lines.slice(done) }
}

/** The file's bytes, decompressed if necessary, and how far it is read. */
async function open(file: string) {
  const { size } = await stat(file)
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 })
  const chunks: AsyncIterable<Buffer> = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // A pipe does not forward errors.
  raw.on('error', (error) => {
    if (file.endsWith('.gz')) (chunks as unknown as { destroy(e: Error): void }).destroy(error)
  })
  return {
    chunks,
    share: () => (size === 0 ? 1 : raw.bytesRead / size),
    close: () => raw.destroy(),
  }
}

/** A refused line with its content, which makes the report a file of customers' data. */
interface ReportedLine extends RefusedLine {
  readonly content: string
}

/** The file that lists refused lines, one JSON object a line. It exists only if there is one. */
class RefusedReport {
  readonly path: string
  #bytes: number

  private constructor(path: string, bytes: number) {
    this.path = path
    this.#bytes = bytes
  }

  /**
   * Continues after the first `bytes`: what an interrupted import wrote after its checkpoint is written
   * again. 0 deletes the report of an earlier import.
   */
  static async open(path: string, bytes: number): Promise<RefusedReport> {
    if (bytes === 0) await rm(path, { force: true })
    else await truncate(path, bytes)
    return new RefusedReport(path, bytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  async add(refused: readonly ReportedLine[]): Promise<void> {
    if (refused.length === 0) return
    const text = refused.map((line) => `${JSON.stringify(line)}\n`).join('')
    await appendFile(this.path, text)
    this.#bytes += Buffer.byteLength(text)
  }
}

interface PatienceOptions {
  readonly sleep: (ms: number) => Promise<void>
  readonly stopped: () => boolean
  readonly waits: (why: string) => void
}

/** Maximum time without progress, ms: a full backlog drains as fast as MoEngage accepts it. */
const MAX_WAIT_MS = 600_000
/** Maximum time without any first answer, ms: the address is probably wrong. */
const UNANSWERED_MS = 10_000
const FIRST_MS = 500
const MAX_STOP_MS = 15_000
/** Maximum time to stop after Ctrl-C, ms. */
const STEP_MS = 250

/** How long an import waits for a relay that cannot continue. */
class Patience {
  readonly #options: PatienceOptions
  #answered = false
  #waitedMs = 0
  #nextMs = FIRST_MS

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** There was progress. */
  renew(): void {
    this.#answered = true
    this.#waitedMs = 0
    this.#nextMs = FIRST_MS
  }

  /** Waits until the next try is due; false if there is none. */
  async wait({ why, retryAfterMs, answered }: Stop): Promise<boolean> {
    this.#answered ||= answered
    const longestMs = this.#answered ? MAX_WAIT_MS : UNANSWERED_MS
    if (this.#waitedMs >= longestMs) return false
    this.#options.waits(why)
    const waitMs = Math.min(Math.max(this.#nextMs, retryAfterMs ?? 0), MAX_STOP_MS)
    this.#nextMs *= 2
    for (let leftMs = waitMs; leftMs > 0 && !this.#options.stopped(); leftMs -= STEP_MS) {
      await this.#options.sleep(Math.min(leftMs, STEP_MS))
    }
    this.#waitedMs += waitMs
    return !this.#options.stopped()
  }
}

/** The progress of an import; stored next to the file. */
interface Checkpoint {
  readonly appId: string
  /** Identifies this import in relay: lines stored under this key are not stored again. */
  readonly key: string
  /** Lines that need not be sent again. */
  readonly lines: number
  readonly accepted: number
  readonly rejected: number
  /** Length of the report of refused lines that belongs to these lines. */
  readonly reportBytes: number
}

interface Stored extends Checkpoint {
  readonly version: number
  /** Size and time of the file: the lines of a changed file have other numbers. */
  readonly file: string
}

const VERSION = 2

class CheckpointFile {
  readonly path: string
  readonly #fingerprint: string

  private constructor(path: string, fingerprint: string) {
    this.path = path
    this.#fingerprint = fingerprint
  }

  static async of(file: string): Promise<CheckpointFile> {
    const { size, mtimeMs } = await stat(file)
    return new CheckpointFile(`${file}.checkpoint`, `${size}/${mtimeMs}`)
  }

  /**
   * null without a checkpoint. One that does not fit ends the import: under a new key, lines that are
   * stored already would be stored again.
   */
  async read(appId: string): Promise<Checkpoint | null> {
    const text = await readFile(this.path, 'utf8').catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return null
      throw this.#unusable(`cannot be read (${code ?? message})`)
    })
    if (text === null) return null
    const stored = storedOf(text)
    if (stored === null) throw this.#unusable('cannot be read (its content is damaged)')
    if (stored.version !== VERSION) throw this.#unusable('was written by another version of relay')
    if (stored.appId !== appId) throw this.#unusable(`belongs to workspace ${stored.appId}`)
    if (stored.file !== this.#fingerprint) {
      throw this.#unusable('was written for another version of the file')
    }
    return stored
  }

  #unusable(why: string): CommandError {
    return new CommandError(
      EXIT.usage,
      `The checkpoint ${this.path} ${printable(why)}, so the import cannot resume.`,
      'Import what the checkpoint belongs to, or add --restart: it begins again at line 1 and may store lines twice.',
    )
  }

  /** Atomic: a crash leaves the previous checkpoint. */
  async write(checkpoint: Checkpoint): Promise<void> {
    const stored: Stored = { version: VERSION, file: this.#fingerprint, ...checkpoint }
    await writeFile(`${this.path}.new`, `${JSON.stringify(stored)}\n`)
    await rename(`${this.path}.new`, this.path)
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true })
  }
}

/** null if it is no checkpoint. */
function storedOf(text: string): Stored | null {
  let stored: Partial<Record<keyof Stored, unknown>> | null
  try {
    stored = JSON.parse(text) as typeof stored
  } catch {
    return null
  }
  const texts = [stored?.file, stored?.appId, stored?.key]
  const counts = [stored?.lines, stored?.accepted, stored?.rejected, stored?.reportBytes]
  const isWhole =
    texts.every((one) => typeof one === 'string' && one !== '') &&
    counts.every((one) => Number.isSafeInteger(one) && Number(one) >= 0)
  return isWhole ? (stored as Stored) : null
}
