import { execFile } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '@relay/tools/folders.js'
import { EPOCH_MS } from './world.js'
import type { Raw, Wire } from './wire.js'

const run = promisify(execFile)

type Message = readonly [channel: string, text: string]

/** Time and messages of a Redis that runs relay's scripts as they are, and expires keys itself. */
export class OwnTime {
  /** What the server needs in its environment. */
  readonly environment: Readonly<Record<string, string>>
  readonly #file: number
  readonly #bytes = Buffer.alloc(8)
  #subscriber: Wire | null = null
  #heard: Message[] = []

  private constructor(dir: string, library: string) {
    const file = join(dir, 'clock')
    this.environment = { LD_PRELOAD: library, RELAY_SIM_CLOCK: file }
    this.#file = openSync(file, 'w')
    this.set(EPOCH_MS * 1_000)
  }

  /** Builds the clock in `dir`. Rejects where no C compiler is. */
  static async build(dir: string): Promise<OwnTime> {
    const library = join(dir, 'clock.so')
    await run('cc', ['-shared', '-fPIC', '-O2', '-o', library, join(ROOT, 'test/sim/clock.c')])
    return new OwnTime(dir, library)
  }

  /** Hears every message from now on. */
  async listen(subscriber: Wire): Promise<void> {
    this.#subscriber = subscriber
    subscriber.onReply = (reply) => this.#hear(reply)
    await subscriber.call('PSUBSCRIBE', '*')
  }

  /** Sets the wall clock, µs since 1970. */
  set(us: number): void {
    this.#bytes.writeBigInt64LE(BigInt(us))
    writeSync(this.#file, this.#bytes, 0, this.#bytes.length, 0)
  }

  /** Messages that were published before now. */
  async messages(): Promise<readonly Message[]> {
    await this.#subscriber?.call('PING')
    const heard = this.#heard
    this.#heard = []
    return heard
  }

  close(): void {
    this.#subscriber?.close()
    closeSync(this.#file)
  }

  /** Whether it is a message, and no reply. */
  #hear(reply: Raw): boolean {
    if (!Array.isArray(reply) || String(reply[0]) !== 'pmessage') return false
    this.#heard.push([String(reply[2]), String(reply[3])])
    return true
  }
}
