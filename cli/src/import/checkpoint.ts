import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'

/** The progress of an import; stored next to the file. */
export interface Checkpoint {
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
  /** Size and time of the file: a changed file starts a new import. */
  readonly file: string
}

const VERSION = 2

export class CheckpointFile {
  readonly path: string
  readonly #fingerprint: string

  private constructor(path: string, fingerprint: string) {
    this.path = path
    this.#fingerprint = fingerprint
  }

  static async of(file: string): Promise<CheckpointFile> {
    const { size, mtimeMs } = await stat(file)
    return new CheckpointFile(`${file}.checkpoint`, `${String(size)}/${String(mtimeMs)}`)
  }

  /** null if there is no usable checkpoint; the import then starts from the first line. */
  async read(appId: string): Promise<Checkpoint | null> {
    try {
      const stored = JSON.parse(await readFile(this.path, 'utf8')) as Stored
      const isSame = stored.version === VERSION && stored.file === this.#fingerprint
      return isSame && stored.appId === appId ? stored : null
    } catch {
      return null
    }
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
