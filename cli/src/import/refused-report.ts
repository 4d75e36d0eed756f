import { appendFile, rm, truncate } from 'node:fs/promises'
import type { RefusedLine } from './upload.js'

/** A refused line with its content, which makes the report a file of customers' data. */
export interface ReportedLine extends RefusedLine {
  readonly content: string
}

/** The file that lists refused lines, one JSON object a line. It exists only if there is one. */
export class RefusedReport {
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
